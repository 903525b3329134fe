import { join } from "node:path";

import { OldProgram, type ModelEntry, type OldConnection } from "@cortex/old-program";
import Database from "better-sqlite3";
import { describe, expect } from "vitest";

import { checkRegistry, openRegistry, type NewModel, type Registry } from "../../src/index.ts";
import { expectSettled, expectSound, look } from "./expect-sound.ts";
import { test as inFolder } from "./folder.ts";
import { OLD_CONNECTIONS } from "./old-connections.ts";

const ENTRY: ModelEntry = {
  model: "TheBloke:Tiny-GGUF:tiny.Q4_K_M.gguf",
  authorRepoId: "TheBloke",
  branchName: "main",
  pathToModelYaml: "models/huggingface.co/TheBloke/Tiny-GGUF/tiny.Q4_K_M.yml",
  modelAlias: "tiny.q4_k_m",
  modelFormat: "",
  modelSource: "",
  status: "downloaded",
  engine: "llama-cpp",
  metadata: "",
};
const SOURCE = "https://huggingface.co/bartowski/phi-4-GGUF";
const DOWNLOADABLE: ModelEntry = {
  model: "bartowski:phi-4-GGUF:phi-4-Q8_0.gguf",
  authorRepoId: "bartowski",
  branchName: "main",
  pathToModelYaml: "",
  modelAlias: "",
  modelFormat: "hf-gguf",
  modelSource: SOURCE,
  status: "downloadable",
  engine: "llama-cpp",
  metadata: '{"author": "bartowski", "size": 1.0, "n":null, "name":"\\u00e9"}',
};
const OURS: NewModel = {
  modelId: "our-model",
  sourceType: "local",
  alias: "ours",
  aliases: ["further", "last"],
  configPath: "/models/ours.yml",
  availability: "present",
  tags: ["kept"],
  files: [{ path: "/models/ours.gguf", role: "weights", sizeBytes: 8 }],
};

function oldModel(model: string, changes: Partial<ModelEntry> = {}): ModelEntry {
  return { ...ENTRY, model, modelAlias: model, pathToModelYaml: `models/${model}.yml`, ...changes };
}

function ids(entries: readonly ModelEntry[]): string[] {
  return entries.map(({ model }) => model);
}

/** What a search finds, in the order of ids; the counts agree with it. */
async function found(registry: Registry, search: string): Promise<string[]> {
  const sort = { field: "model_id", direction: "asc" } as const;
  const { items, total } = await registry.models.list({ search, total: true, sort });
  expect(total).toBe(items.length);
  expect(await registry.models.count({ search })).toBe(items.length);
  return items.map(({ modelId }) => modelId);
}

async function expectFound(from: Registry): Promise<void> {
  expect(await found(from, "NEEDLE")).toEqual(["haystack", "needle-1", "needle-3", "needle-4"]);
  expect(await found(from, "needle someone")).toEqual(["needle-3"]);
  expect(await found(from, "ne 3")).toEqual(["needle-3"]);
  expect(await found(from, "gone")).toEqual([]);
  const pages: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await from.models.list({ search: "needle", limit: 1, cursor });
    pages.push(...page.items.map(({ modelId }) => modelId));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(pages).toEqual(["needle-4", "needle-3", "haystack", "needle-1"]);
}

describe.each(OLD_CONNECTIONS)("an old program ($name)", ({ isThere, connect }) => {
  const test = inFolder
    .extend<{ path: string; registry: Registry; connection: OldConnection; old: OldProgram }>({
      path: async ({ folder }, use) => use(join(folder, "cortex.db")),
      registry: async ({ path }, use) => {
        await using registry = await openRegistry(path, { actor: "tester" });
        await use(registry);
      },
      connection: async ({ path, registry }, use) => {
        await registry.models.create(OURS);
        const connection = connect(path);
        await use(connection);
        await connection.close();
      },
      old: async ({ connection }, use) => use(new OldProgram(connection)),
    })
    .skipIf(!isThere);

  test("lists the registry's models, and sees its changes at once", async ({ registry, old }) => {
    const ours = {
      model: "our-model",
      authorRepoId: "",
      branchName: "",
      pathToModelYaml: "/models/ours.yml",
      modelAlias: "ours",
      modelFormat: "local",
      modelSource: "imported",
      status: "downloaded",
      engine: "",
      metadata: "",
    };
    expect(await old.loadModelList()).toEqual([ours]);
    await registry.models.update("ours", { alias: "new", engine: "llama-cpp", authorRepo: "somebody" });
    expect(await old.getModelInfo("our-model")).toEqual({
      ...ours,
      modelAlias: "new",
      engine: "llama-cpp",
      authorRepoId: "somebody",
    });
    await registry.models.delete("our-model");
    expect(await old.loadModelList()).toEqual([]);
  });

  test("is shown as downloadable what it would take for lost, and delete", async ({ registry, old }) => {
    await registry.models.create({ modelId: "no-yaml", sourceType: "huggingface", availability: "present" });
    await registry.models.update("our-model", { availability: "missing" });
    await registry.models.create({ modelId: "api", sourceType: "remote" });
    expect((await old.loadModelList()).map(({ model, status }) => [model, status])).toEqual([
      ["our-model", "downloadable"],
      ["no-yaml", "downloadable"],
      ["api", "remote"],
    ]);
  });

  test("adds a model: the registry has it whole, under both its names, and tells of it", async ({
    registry,
    old,
  }) => {
    const before = Date.now();
    expect(await old.addModelEntry(ENTRY)).toBe(true);
    const model = await registry.models.resolve("tiny.q4_k_m");
    expect(model).toMatchObject({
      modelId: ENTRY.model,
      sourceType: "huggingface",
      authorRepo: "TheBloke",
      branch: "main",
      configPath: ENTRY.pathToModelYaml,
      alias: "tiny.q4_k_m",
      status: 0,
      availability: "present",
      engine: "llama-cpp",
      metadata: { legacy: { store: "cortex.db" } },
      rowVersion: 1,
      rowChecksum: "",
    });
    expect(model.createdAt).toBeGreaterThanOrEqual(before - 1);
    expect(model.createdAt).toBeLessThanOrEqual(Date.now() + 1);
    const [event] = (await registry.history.list()).items;
    expect(event).toMatchObject({ kind: "created", actor: "legacy", rowVersion: 1, before: null });
    expect(event!.after).toEqual({
      model_id: ENTRY.model,
      source_type: "huggingface",
      author_repo: "TheBloke",
      branch: "main",
      config_path: ENTRY.pathToModelYaml,
      alias: "tiny.q4_k_m",
      status: 0,
      created_at: model.createdAt,
      updated_at: model.updatedAt,
      availability: "present",
      engine: "llama-cpp",
      metadata: { legacy: { store: "cortex.db" } },
      row_version: 1,
      row_checksum: "",
    });
    expect(await old.getModelInfo(ENTRY.model)).toEqual(ENTRY);
    await expectSound(registry);
  });

  test("reads every word as it wrote it: NULL, the empty text, and JSON to the letter", async ({
    registry,
    connection,
  }) => {
    const columns =
      "author_repo_id, branch_name, path_to_model_yaml, model_alias, model_format, model_source, status, engine, metadata";
    const rows: (string | null)[][] = [
      ["", "", "", "", "", "", "", "", ""],
      [null, null, null, null, null, null, null, null, null],
      ["a", "b", "c", "d", "hf-gguf", SOURCE, "downloadable", "e", DOWNLOADABLE.metadata],
      ["it's", "ü", "C:\\models\\x y.yml", "alias with blanks", "f", "s", "remote", "e", "no {JSON"],
      ["a", "b", "c", "d", "f", "s", "downloaded", "e", `"${"x".repeat(500_000)}"`],
    ];
    for (const [index, row] of rows.entries()) {
      const places = row.map(() => "?").join(", ");
      await connection.run(`INSERT INTO models (model_id, ${columns}) VALUES (?, ${places})`, [
        `m${index}`,
        ...row,
      ]);
    }
    const seen = async (): Promise<unknown[]> =>
      (await connection.run(`SELECT ${columns} FROM models WHERE model_id != 'our-model'`)).map((row) =>
        Object.values(row),
      );
    expect(await seen()).toEqual(rows);
    // Also after the registry saw them, and changed something else.
    await registry.models.update("m2", { notes: "changed", metadata: { mine: true } });
    expect(await seen()).toEqual(rows);
    expect((await registry.models.get("m2")).metadata["legacy"]).toEqual({
      store: "cortex.db",
      model_format: "hf-gguf",
      model_source: SOURCE,
      metadata: DOWNLOADABLE.metadata,
    });
    // A word that is no longer true makes way.
    await registry.models.update("m1", { branch: "main" });
    await registry.models.update("m2", { availability: "present", metadata: { legacy: { metadata: null } } });
    expect((await seen()).slice(1, 3)).toEqual([
      [null, "main", ...rows[1]!.slice(2)],
      [...rows[2]!.slice(0, 6), "downloaded", "e", null],
    ]);
    await expectSound(registry);
  });

  test("updates a model: what changed is told, the alias and what it does not know stays", async ({
    registry,
    old,
  }) => {
    await old.addModelEntry(DOWNLOADABLE);
    await registry.models.update(DOWNLOADABLE.model, { tags: ["kept"], notes: "mine", aliases: ["phi"] });
    const update = {
      ...DOWNLOADABLE,
      modelAlias: "never written",
      status: "downloaded",
      pathToModelYaml: "models/phi.yml",
      metadata: "",
    } as const;
    await old.updateModelEntry(DOWNLOADABLE.model, update);
    expect(await old.getModelInfo(DOWNLOADABLE.model)).toEqual({ ...update, modelAlias: "" });
    const model = await registry.models.resolve("phi");
    expect(model).toMatchObject({
      configPath: "models/phi.yml",
      availability: "present",
      alias: null,
      tags: ["kept"],
      notes: "mine",
      rowVersion: 3,
      metadata: { legacy: { store: "cortex.db", model_format: "hf-gguf", model_source: SOURCE } },
    });
    expect(model.metadata["legacy"]).not.toHaveProperty("metadata");
    const [event] = (await registry.history.list()).items;
    expect(event).toMatchObject({ kind: "updated", actor: "legacy", rowVersion: 3, at: model.updatedAt });
    expect(Object.keys(event!.after!)).toEqual(["config_path", "availability", "metadata"]);
    expect(event!.before).toMatchObject({ config_path: null, availability: "downloadable" });
    // The same once more changes nothing, and an unknown one is none.
    await old.updateModelEntry(DOWNLOADABLE.model, update);
    expect((await registry.history.list()).items[0]).toEqual(event);
    await expect(old.updateModelEntry("unknown", update)).rejects.toThrow("Model not found");
    await expectSound(registry);
  });

  test("deletes a model with all that belongs to it, and the history has it whole", async ({
    path,
    registry,
    old,
  }) => {
    const model = await registry.models.get("our-model");
    await old.deleteModelEntry("our-model");
    expect(await registry.models.find("our-model")).toBeUndefined();
    look(path, (database) => {
      for (const table of ["model", "model_name", "model_tag", "model_file", "model_legacy"])
        expect(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get(), table).toBe(0);
    });
    const [deleted, created] = (await registry.history.list()).items;
    expect(deleted).toMatchObject({ kind: "deleted", actor: "legacy", rowVersion: 1, after: null });
    expect(deleted!.before).toEqual(created!.after);
    expect(deleted!.before).toMatchObject({ row_checksum: model.rowChecksum });
    // A missing one is deleted, too; and the name is free again.
    await old.deleteModelEntry("our-model");
    expect(await old.addModelEntry(oldModel("our-model"))).toBe(true);
    await expectSound(registry);
  });

  test("is refused an id that there is, as before, and one that can be no name", async ({
    registry,
    connection,
    old,
  }) => {
    expect(await old.addModelEntry(oldModel("our-model"))).toBe(false);
    const insert = (id: string | null): Promise<unknown> =>
      connection.run("INSERT INTO models (model_id, status) VALUES (?, 'downloaded')", [id]);
    await expect(insert("our-model")).rejects.toThrow("UNIQUE constraint failed: models.model_id");
    for (const id of [null, "", " x", "x\u00a0", "a\tb", "a\u202eb", "x".repeat(1025)])
      await expect(insert(id), JSON.stringify(id)).rejects.toThrow("constraint failed: models.model_id");
    await expect(connection.run("UPDATE models SET model_id = 'other'")).rejects.toThrow("never changes");
    expect(await registry.models.count()).toBe(1);
    expect((await registry.history.list()).items).toHaveLength(1);
  });

  test("gets no alias that means another model, and is not refused for it", async ({ registry, old }) => {
    for (const alias of ["our-model", "ours", "further", " no name ", "a\tb"]) {
      const model = `with ${JSON.stringify(alias)}`;
      expect(await old.addModelEntry(oldModel(model, { modelAlias: alias }))).toBe(true);
      expect((await registry.models.get(model)).alias).toBeNull();
    }
    for (const name of ["our-model", "ours", "further"])
      expect((await registry.models.resolve(name)).modelId).toBe("our-model");
    await expectSound(registry);
  });

  test("adds an id that was another model's alias: an id comes first, and the other gives it up", async ({
    registry,
    old,
  }) => {
    for (const [id, left] of [
      ["ours", { alias: null, aliases: ["further", "last"], rowVersion: 2 }],
      ["further", { alias: null, aliases: ["last"], rowVersion: 3 }],
    ] as const) {
      expect(await old.addModelEntry(oldModel(id))).toBe(true);
      expect((await registry.models.resolve(id)).modelId).toBe(id);
      expect(await registry.models.get("our-model")).toMatchObject(left);
      const { items } = await registry.history.list({ modelId: "our-model" });
      expect(items[0]).toMatchObject({ kind: "aliased", actor: "legacy", rowVersion: left.rowVersion });
    }
    await expectSound(registry);
  });

  test("of the first releases gives a model another alias", async ({ registry, old }) => {
    await old.addModelEntry(oldModel("a"));
    expect(await old.updateModelAlias("ours", "mine")).toBe(true);
    expect((await registry.models.resolve("mine")).modelId).toBe("our-model");
    await expect(registry.models.resolve("ours")).rejects.toMatchObject({ code: "model_not_found" });
    expect(await old.updateModelAlias("our-model", "a")).toBe(false);
    // It does not know of further aliases: taking one of the model's own, and one of another model.
    expect(await old.updateModelAlias("our-model", "further")).toBe(true);
    expect(await registry.models.get("our-model")).toMatchObject({ alias: "further", aliases: ["last"] });
    expect(await old.updateModelAlias("a", "last")).toBe(true);
    expect((await registry.models.resolve("last")).modelId).toBe("our-model");
    expect(await registry.models.get("a")).toMatchObject({ alias: "a" });
    const { items } = await registry.history.list({ modelId: "our-model" });
    expect(items.map(({ kind, actor }) => `${kind} ${actor}`)).toEqual([
      "aliased legacy",
      "aliased legacy",
      "created tester",
    ]);
    await expectSound(registry);
  });

  test("finds models by source and by part of their ids, and deletes by source", async ({
    registry,
    old,
  }) => {
    for (const [index, file] of ["Q2_K", "Q4_K_M", "Q8_0"].entries()) {
      const status = index === 0 ? "downloaded" : "downloadable";
      await old.addModelEntry({ ...DOWNLOADABLE, model: `phi-4-${file}`, status });
    }
    await old.addModelEntry({ ...DOWNLOADABLE, model: "other", modelSource: `${SOURCE}-other` });
    expect(ids(await old.getModels(SOURCE))).toEqual(["phi-4-Q4_K_M", "phi-4-Q8_0"]);
    expect(ids(await old.getModelSources())).toEqual([
      "our-model",
      "phi-4-Q2_K",
      "phi-4-Q4_K_M",
      "phi-4-Q8_0",
      "other",
    ]);
    expect(await old.findRelatedModel("PHI-4")).toEqual(["phi-4-Q2_K"]);
    expect(await old.findRelatedModel("our%")).toEqual(["our-model"]);
    await old.deleteModelEntryWithRepo(SOURCE);
    expect(ids(await old.loadModelList())).toEqual(["our-model", "phi-4-Q2_K", "other"]);
    await old.deleteModelEntryWithOrg("https://huggingface.co/bartowski");
    expect(ids(await old.loadModelList())).toEqual(["our-model", "phi-4-Q2_K"]);
    await expectSound(registry);
  });

  test("does not delete a model that runs, nor any other with it; changes to it are fine", async ({
    registry,
    connection,
    old,
  }) => {
    await old.addModelEntry(oldModel("a"));
    const run = await registry.runs.acquire("our-model", { holder: "engine" });
    await expect(old.deleteModelEntry("our-model")).rejects.toThrow("running: stop it first");
    await expect(connection.run("DELETE FROM models")).rejects.toThrow("running: stop it first");
    expect(await registry.models.count()).toBe(2);
    await old.updateModelEntry("our-model", oldModel("our-model", { engine: "other" }));
    expect(await registry.models.get("our-model")).toMatchObject({ status: 1, engine: "other" });
    await registry.runs.renew(run.token);
    await expectSound(registry);
    await registry.runs.release(run.token);
    await old.deleteModelEntry("our-model");
    expect(await registry.models.find("our-model")).toBeUndefined();
    await expectSound(registry);
  });

  test("deletes a model whose lease is long over: it says first that it ended", async ({
    path,
    registry,
    old,
  }) => {
    await registry.runs.acquire("our-model", { holder: "engine", ttlMs: 1000 });
    const shift = (milliseconds: number): void => {
      const database = new Database(path);
      database.prepare("UPDATE model_run SET renewed_at = renewed_at - ?").run(milliseconds);
      database.close();
    };
    // Within a minute of its end, and when the clock says that it is still to begin, nobody can be sure.
    shift(30_000);
    await expect(old.deleteModelEntry("our-model")).rejects.toThrow("running");
    shift(-1_000_000);
    await expect(old.deleteModelEntry("our-model")).rejects.toThrow("running");
    shift(1_000_000 + 40_000);
    await old.deleteModelEntry("our-model");
    const { items } = await registry.history.list({ modelId: "our-model", limit: 2 });
    expect(items.map(({ kind, actor, rowVersion }) => [kind, actor, rowVersion])).toEqual([
      ["deleted", "legacy", 3],
      ["expired", "registry", 3],
    ]);
    expect(items[0]!.before).toMatchObject({ status: 0, row_version: 3 });
    expect(await registry.runs.list()).toEqual([]);
    await expectSound(registry);
  });

  test("is followed by the watchers of the registry", async ({ registry, old }) => {
    const feed = registry.watch();
    const next = feed.next();
    await old.addModelEntry(ENTRY);
    expect((await next).value).toMatchObject({ kind: "created", actor: "legacy", modelId: ENTRY.model });
    await feed.return(undefined);
  });

  test("is found by every search before and after the registry has seen its rows", async ({
    path,
    registry,
    old,
  }) => {
    for (const id of ["needle-1", "needle-2", "haystack"])
      await registry.models.create({ modelId: id, sourceType: "local", alias: null });
    await old.addModelEntry(oldModel("needle-3", { authorRepoId: "someone" }));
    await old.updateModelEntry("haystack", oldModel("haystack", { authorRepoId: "has a needle" }));
    await old.deleteModelEntry("needle-2");
    // The number of the model that is gone last is given again.
    await old.addModelEntry(oldModel("gone"));
    await old.deleteModelEntry("gone");
    await old.addModelEntry(oldModel("needle-4"));
    {
      await using reader = await openRegistry(path, { mode: "read" });
      await expectFound(reader);
      await expectFound(registry);
      const events = (await registry.history.list({ limit: 1000 })).items;
      await registry.models.update("our-model", { pinned: true });
      expectSettled(path);
      expect((await registry.history.list({ limit: 1000 })).items.slice(1)).toEqual(events);
      await expectFound(reader);
    }
    await expectFound(registry);
    await expectSound(registry);
  });

  test("does no damage by writing: what the registry has still to see is none", async ({ path, old }) => {
    await old.addModelEntry(oldModel("new:1"));
    await old.addModelEntry(oldModel("new:2"));
    await old.deleteModelEntry("new:2");
    const codes = new Set<string>();
    for await (const { code } of checkRegistry(path, { full: true })) codes.add(code);
    expect([...codes].filter((code) => !/^(row_unsigned|file_|config_)/.test(code))).toEqual([]);
  });

  test("is caught up with by whoever writes first, also when that change itself fails", async ({
    path,
    registry,
    old,
  }) => {
    await old.addModelEntry(ENTRY);
    await expect(registry.models.create({ modelId: ENTRY.model, sourceType: "local" })).rejects.toMatchObject(
      {
        code: "name_taken",
      },
    );
    await registry.models.update("our-model", { pinned: true });
    expectSettled(path);
    await old.addModelEntry(DOWNLOADABLE);
    {
      await using other = await openRegistry(path);
      await other.models.update(DOWNLOADABLE.model, { notes: "seen" });
    }
    expectSettled(path);
    await old.deleteModelEntry(DOWNLOADABLE.model);
    await registry.transaction(async ({ models }) => {
      await models.create({ modelId: "next", sourceType: "local" });
    });
    expectSettled(path);
    await expectSound(registry);
  });

  test("is not held up by whoever reads the registry", async ({ path, registry, old }) => {
    await using reader = await openRegistry(path, { mode: "read" });
    const database = new Database(path, { readonly: true });
    database.exec("BEGIN");
    database.prepare("SELECT count(*) FROM model").get();
    for (let index = 0; index < 20; index++) {
      expect(await old.addModelEntry(oldModel(`m${index}`))).toBe(true);
      await reader.models.list();
    }
    database.exec("COMMIT");
    database.close();
    expect(await registry.models.count()).toBe(21);
  });

  test("needs neither our functions nor the search engine of SQLite", async ({
    path,
    registry,
    connection,
  }) => {
    await registry.close();
    await connection.close();
    const database = new Database(path);
    database.unsafeMode();
    database.pragma("writable_schema = ON");
    const { changes } = database
      .prepare("UPDATE sqlite_schema SET sql = replace(sql, 'fts5', 'absent') WHERE name = 'model_search'")
      .run();
    database.close();
    expect(changes).toBe(1);
    const bare = connect(path);
    const old = new OldProgram(bare);
    await expect(bare.run("SELECT * FROM model_search")).rejects.toThrow("no such module: absent");
    await old.addModelEntry(DOWNLOADABLE);
    await old.addModelEntry(oldModel("ours"));
    await old.updateModelEntry("our-model", oldModel("our-model"));
    await old.updateModelAlias("our-model", "new");
    expect(await old.findRelatedModel("our")).toEqual(["our-model", "ours"]);
    await old.deleteModelEntry("our-model");
    expect(await old.loadModelList()).toHaveLength(2);
    await bare.close();
  });

  test("finds a new registry empty, and no version of its own schema", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await (await openRegistry(path)).close();
    const connection = connect(path);
    const old = new OldProgram(connection);
    expect(await old.loadModelList()).toEqual([]);
    expect(await old.schemaVersion()).toBe(-1);
    await connection.close();
  });
});
