import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import Database from "better-sqlite3";
import { describe, expect, vi } from "vitest";

import {
  checkRegistry,
  createSnapshot,
  followBackup,
  lastLoggedEventId,
  listSnapshots,
  openRegistry,
  repairRegistry,
  restoreFile,
  type Registry,
} from "../../src/index.ts";
import { assemble } from "../../src/maintenance/assemble.ts";
import { localModel } from "../contract/local-model.ts";
import { expectRefusal } from "../contract/refusal.ts";
import { startProcess } from "../processes/start.ts";
import { contentsOf, test } from "../sqlite/folder.ts";
import { copyDatabase, makeWorkedRegistry, statesOf, type WorkedRegistry } from "./worked-registry.ts";

vi.setConfig({ testTimeout: 60_000 });

const PAGE = 4096;

/** Overwrites some pages in the middle of a file, or its first ones. */
function damage(path: string, first = 20, count = 12): void {
  const bytes = readFileSync(path);
  bytes.fill(0x5a, first * PAGE, (first + count) * PAGE);
  writeFileSync(path, bytes);
}

async function damageFound(path: string): Promise<string[]> {
  const found = [];
  for await (const { severity, message } of checkRegistry(path, { full: true })) {
    if (severity === "damage") found.push(message);
  }
  return found;
}

async function states(path: string): Promise<ReadonlyMap<string, string>> {
  await using registry = await openRegistry(path, { mode: "read" });
  return await statesOf(registry);
}

/** A copy of a worked registry in a folder of its own. */
function copyOf({ path }: WorkedRegistry, folder: string, name: string): string {
  mkdirSync(join(folder, name));
  const copy = join(folder, name, "registry.db");
  copyDatabase(path, copy);
  return copy;
}

describe("a repair", () => {
  test("of a registry that is not damaged says so and changes nothing", async ({ folder }) => {
    const worked = await makeWorkedRegistry(folder, 30);
    const before = readFileSync(worked.path);
    expect(await repairRegistry(worked.path)).toBeUndefined();
    expect(await repairRegistry(worked.path, { from: worked.backup, dryRun: true })).toBeUndefined();
    expect(readFileSync(worked.path).equals(before)).toBe(true);
    expect(readdirSync(folder).filter((name) => /damaged|repair(?!\.lock)/.test(name))).toEqual([]);
  });

  test("with a snapshot and a log brings everything back, and keeps the damaged files whole", async ({
    folder,
  }) => {
    const worked = await makeWorkedRegistry(folder, 80);
    const path = copyOf(worked, folder, "a");
    damage(path);
    const damaged = readFileSync(path);
    const report = await repairRegistry(path, { from: worked.backup });
    expect(report).toMatchObject({
      registryId: worked.registryId,
      newestEventId: worked.newestEventId,
      missingEvents: [],
      contradictions: 0,
      from: worked.backup,
    });
    // Where the damage hit the end of the history, nobody can know whether anything came after it.
    const state = report!.endKnown ? /^recovered$/ : /^(recovered|uncertain)$/;
    for (const model of report!.models) expect(model.state).toMatch(state);
    expect(await states(path)).toEqual(worked.truth);
    expect(await damageFound(path)).toEqual([]);
    expect(readFileSync(join(report!.setAside!, "registry.db")).equals(damaged)).toBe(true);
    await using registry = await openRegistry(path);
    expect(registry.registryId).toBe(worked.registryId);
    const past = await registry.history.list({ order: "asc", limit: 1000 });
    expect(past.items.slice(0, -1).map(({ eventId }) => eventId)).toEqual(
      Array.from({ length: worked.newestEventId }, (_, index) => index + 1),
    );
    expect(past.items.at(-1)).toMatchObject({ kind: "repaired", modelId: "" });
    await registry.models.create(localModel("after"));
    expect((await registry.models.list({ search: "notes of", total: true })).total).toBeGreaterThan(5);
  });

  test.for([6, 9, 11])(
    "of an older schema, %i, brings it up to date, which opening it cannot",
    async (schema, { folder }) => {
      const { path, backup, truth } = await makeWorkedRegistry(folder, 80);
      await using older = await openRegistry(path);
      await older.migrate(schema);
      await older.close();
      await expectRefusal("schema_too_old", damageFound(path));
      damage(path);
      await expectRefusal("database_damaged", openRegistry(path));
      expect(await damageFound(path)).not.toEqual([]);
      await repairRegistry(path, { from: backup });
      expect(new Set((await states(path)).keys())).toEqual(new Set(truth.keys()));
      expect(await damageFound(path)).toEqual([]);
    },
  );

  test("is offered where a registry of an older schema is whole, and not the one that is backed up", async ({
    folder,
  }) => {
    const { path } = await makeWorkedRegistry(folder, 10);
    await using older = await openRegistry(path);
    await older.migrate(11);
    await older.close();
    const other = new Database(path);
    other.prepare("UPDATE registry SET registry_id = ?").run("0".repeat(32));
    other.close();
    await expectRefusal("database_damaged", openRegistry(path));
    expect(await damageFound(path)).toEqual([
      expect.stringContaining("is not the registry that is backed up"),
    ]);
  });

  test("without a backup names what is lost, and what it could not bring back is no damage any more", async ({
    folder,
  }) => {
    const worked = await makeWorkedRegistry(folder, 80);
    const path = copyOf(worked, folder, "a");
    const pages = Math.floor(readFileSync(path).length / PAGE);
    damage(path, Math.floor(pages / 3), Math.floor(pages / 3));
    const rehearsed = await repairRegistry(path, { dryRun: true });
    const report = await repairRegistry(path);
    expect(report!.models).toEqual(rehearsed!.models);
    expect(report!.missingEvents.length).toBeGreaterThan(0);
    expect(report!.models.some(({ state }) => state !== "recovered")).toBe(true);
    expect(await damageFound(path)).toEqual([]);
    // Each model as it was, or named.
    const named = new Set(
      report!.models.filter(({ state }) => state !== "recovered").map(({ modelId }) => modelId),
    );
    for (const [modelId, state] of await states(path)) {
      if (worked.truth.get(modelId) !== state) expect(named).toContain(modelId);
    }
    // And another repair, with the backup this time, brings the rest back.
    damage(path, 12, 1);
    const second = await repairRegistry(path, { from: worked.backup });
    expect(second).toMatchObject({ missingEvents: [], contradictions: 0 });
    const found = await states(path);
    expect([...found.keys()].toSorted()).toEqual([...worked.truth.keys()].toSorted());
    expect(await damageFound(path)).toEqual([]);
  });

  test("goes on as a change of the history: ids and tokens of what may be lost are not given again", async ({
    folder,
  }) => {
    const path = join(folder, "registry.db");
    let token = 0;
    {
      await using registry = await openRegistry(path);
      await registry.models.create(localModel("runs"));
      token = (await registry.runs.acquire("runs", { holder: "me", ttlMs: 600_000 })).token;
    }
    damage(path, 0, 1);
    const report = await repairRegistry(path);
    expect(report!.newestEventId).toBe(token);
    await using registry = await openRegistry(path);
    expect(await registry.models.get("runs")).toMatchObject({ status: 0 });
    await expectRefusal("lease_lost", registry.runs.renew(token));
    const [expired, repaired] = (await registry.history.list({ limit: 2 })).items;
    expect(repaired).toMatchObject({
      kind: "repaired",
      after: { missing_events: [[token + 1, repaired!.eventId - 1]] },
    });
    expect(expired).toMatchObject({ kind: "expired", modelId: "runs", actor: "registry", rowVersion: 3 });
    const again = await registry.runs.acquire("runs", { holder: "other" });
    expect(again.token).toBeGreaterThan(token + 1000);
  });

  test("builds an empty, a foreign and a missing file from the backup, and refuses without one", async ({
    folder,
  }) => {
    const worked = await makeWorkedRegistry(folder, 30);
    const contents = { empty: "", text: "no database\n".repeat(2000), missing: undefined };
    const codes = { empty: "database_damaged", text: "not_a_registry", missing: "not_found" } as const;
    for (const [name, content] of Object.entries(contents)) {
      mkdirSync(join(folder, name));
      const path = join(folder, name, "registry.db");
      if (content !== undefined) writeFileSync(path, content);
      // But for the lock of the attempt.
      const files = (): object =>
        Object.entries(contentsOf(join(folder, name))).filter(([file]) => !file.endsWith(".lock"));
      const before = files();
      for (const dryRun of [true, false]) {
        await expectRefusal(codes[name as keyof typeof codes], repairRegistry(path, { dryRun }), name);
      }
      expect(files(), name).toEqual(before);
      const report = await repairRegistry(path, { from: worked.backup });
      expect(report!.setAside === null, name).toBe(content === undefined);
      expect(await states(path), name).toEqual(worked.truth);
      expect(await damageFound(path), name).toEqual([]);
    }
  });

  test("another database in its place is set aside, and nothing of it taken", async ({ folder }) => {
    const worked = await makeWorkedRegistry(folder, 30);
    mkdirSync(join(folder, "a"));
    const path = join(folder, "a", "registry.db");
    const other = new Database(path);
    other.exec("CREATE TABLE thing (x); INSERT INTO thing VALUES (1)");
    other.close();
    await repairRegistry(path, { from: worked.backup });
    expect(await states(path)).toEqual(worked.truth);
  });

  test("refuses the backup of another registry, and a folder that is none", async ({ folder }) => {
    const worked = await makeWorkedRegistry(folder, 20);
    const otherPath = join(folder, "other.db");
    {
      await using other = await openRegistry(otherPath);
      await other.models.create(localModel("other"));
    }
    await createSnapshot(otherPath, join(folder, "other-backup"));
    const path = copyOf(worked, folder, "a");
    damage(path, 5, 5);
    const before = readFileSync(path);
    await expectRefusal("invalid_input", repairRegistry(path, { from: join(folder, "other-backup") }));
    await expectRefusal("not_found", repairRegistry(path, { from: join(folder, "nowhere") }));
    await using open = await openRegistry(otherPath);
    await expectRefusal("invalid_input", repairRegistry(open.location));
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("takes nothing of a log that is another registry's, and nothing back from one that is older", async ({
    folder,
  }) => {
    const worked = await makeWorkedRegistry(folder, 60);
    mkdirSync(join(folder, "other"));
    const other = await makeWorkedRegistry(join(folder, "other"), 40);
    for (const [name, log] of [
      ["foreign", other.openCopy],
      ["older", worked.openCopy],
    ] as const) {
      const path = copyOf(worked, folder, name);
      copyFileSync(`${log}-wal`, `${path}-wal`);
      // Newer than the older log, and closed.
      damage(path, 30, 1);
      const report = await repairRegistry(path, { from: worked.backup });
      expect(report!.registryId, name).toBe(worked.registryId);
      expect(await states(path), name).toEqual(worked.truth);
    }
  });

  test("a name that two models claim stays with the one that was changed last", async ({ folder }) => {
    const path = join(folder, "registry.db");
    const [early, late] = [join(folder, "early"), join(folder, "late")];
    {
      await using registry = await openRegistry(path);
      await registry.models.create(localModel("a", { alias: "best", aliases: ["kept"] }));
      await registry.models.create(localModel("b"));
      await createSnapshot(path, early);
      await registry.models.repointAlias("best", "b");
      await createSnapshot(path, late);
    }
    // The newer copy no longer knows what happened to the first model.
    const [newer] = listSnapshots(late);
    const database = new Database(newer!.path);
    database.exec(
      "DROP TRIGGER model_event_no_delete; DELETE FROM model_event WHERE model_id = 'a' AND event_id > 1; DELETE FROM model_name WHERE model_seq = 1; DELETE FROM model WHERE model_id = 'a'",
    );
    database.close();
    using assembly = await assemble(
      [newer!, listSnapshots(early)[0]!].map((snapshot) => ({ origin: "snapshot", path: snapshot.path })),
      { at: 5 },
    );
    const models = [...assembly.models()].map(({ model }) => model);
    expect(models).toMatchObject([
      { modelId: "a", alias: null, aliases: ["kept"] },
      { modelId: "b", aliases: ["best"] },
    ]);
    expect(assembly.report.models).toMatchObject([
      { modelId: "a", lostAliases: ["best"], state: "uncertain" },
      { modelId: "b", lostAliases: [], state: "recovered" },
    ]);
    expect([...assembly.amendments()]).toMatchObject([
      { modelId: "a", kind: "aliased", before: { alias: "best" }, after: { alias: null } },
    ]);
  });

  test("takes along what old programs keep in the same file", async ({ folder }) => {
    const worked = await makeWorkedRegistry(folder, 40);
    const path = copyOf(worked, folder, "a");
    const database = new Database(path);
    database.exec(`
      CREATE TABLE schema_version (version INTEGER PRIMARY KEY);
      INSERT INTO schema_version VALUES (3);
      CREATE TABLE "odd "" name" (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
      INSERT INTO "odd "" name" VALUES ('a', x'00ff'), ('b', 9223372036854775807);
      CREATE TABLE engines (name TEXT);
      CREATE INDEX engines_name ON engines (name);
      INSERT INTO engines VALUES ('llama-cpp'), ('llama-cpp');
      INSERT INTO models (model_id, author_repo_id, branch_name, path_to_model_yaml, model_alias, model_format,
        model_source, status, engine, metadata) VALUES ('old', '', 'main', '', 'alias of old', 'hf-gguf', '', 'downloaded', 'x', '');
    `);
    const before = oldTables(database);
    database.close();
    const bytes = readFileSync(path);
    bytes[bytes.lastIndexOf("notes of")] = 0x4e;
    writeFileSync(path, bytes);
    const report = await repairRegistry(path);
    expect(report!.models.find(({ modelId }) => modelId === "old")).toMatchObject({
      state: "recovered",
      verified: false,
    });
    const repaired = new Database(path, { readonly: true });
    const after = oldTables(repaired);
    repaired.close();
    expect(after.slice(0, 3)).toEqual(before.slice(0, 3));
    expect(after[3]).toContainEqual(
      (before[3] as { model_id: string }[]).find(({ model_id }) => model_id === "old"),
    );
    expect(await damageFound(path)).toEqual([]);
  });

  test("brings users, grants and tokens back, from the file or else from the backup", async ({ folder }) => {
    const worked = await makeWorkedRegistry(folder, 40);
    const path = copyOf(worked, folder, "a");
    const backup = join(folder, "access-backup");
    let token: string;
    {
      await using registry = await openRegistry(path);
      const { users, tokens } = registry.access;
      await users.create({ name: "ann", grants: [{ role: "reader" }, { role: "editor", tag: "t" }] });
      ({ token } = await tokens.create("ann", { name: "laptop", scopes: ["change"] }));
      await registry.models.create(localModel("hers", { owner: "ann", private: true }));
      await createSnapshot(path, backup);
      await registry.models.update("hers", { notes: "needle of hers" });
    }
    const whole = readFileSync(path);
    whole[whole.lastIndexOf("needle of hers")] = 0x4e;
    writeFileSync(path, whole);
    expect((await repairRegistry(path))!.accessComplete).toBe(true);
    const expectAnn = async (): Promise<void> => {
      expect(await damageFound(path)).toEqual([]);
      await using registry = await openRegistry(path);
      const identity = await registry.access.authenticate(token);
      expect(identity).toMatchObject({
        user: "ann",
        grants: [{ role: "reader" }, { tag: "t" }],
        scopes: ["change"],
      });
      expect(await registry.models.get("hers")).toMatchObject({ owner: "ann", private: true });
      await registry.access.users.create({ name: "bob", grants: [{ role: "reader" }] });
      await registry.access.users.delete("bob");
    };
    await expectAnn();
    writeFileSync(path, "no database any more");
    expect((await repairRegistry(path, { from: backup }))!.accessComplete).toBe(false);
    await expectAnn();
  });

  test("a restore puts the backup's newest state, or an earlier one, where there is none", async ({
    folder,
  }) => {
    const worked = await makeWorkedRegistry(folder, 40);
    mkdirSync(join(folder, "a"));
    const path = join(folder, "a", "registry.db");
    expect(await restoreFile(path, worked.backup, { dryRun: true })).toMatchObject({ changes: null });
    expect(existsSync(path)).toBe(false);
    const report = await restoreFile(path, worked.backup);
    expect(report).toMatchObject({ registryId: worked.registryId, setAside: null, changes: null });
    expect(await states(path)).toEqual(worked.truth);
    writeFileSync(path, "damaged");
    const [snapshot] = listSnapshots(worked.backup);
    const earlier = await restoreFile(path, snapshot!.path);
    expect(earlier.changes!.eventId).toBe(snapshot!.eventId);
    expect(readFileSync(join(earlier.setAside!, "registry.db"), "utf8")).toBe("damaged");
    const [before, after] = [await idsIn(snapshot!.path), [...(await states(path)).keys()].toSorted()];
    expect(after).toEqual(before);
    expect(await damageFound(path)).toEqual([]);
  });
});

function oldTables(database: Database.Database): unknown[][] {
  return ["schema_version", '"odd "" name"', "engines", "models"].map((name) =>
    database.prepare(`SELECT * FROM ${name}`).safeIntegers().all(),
  );
}

async function idsIn(path: string): Promise<string[]> {
  return [...(await states(path)).keys()].toSorted();
}

describe("a repair that is interrupted", () => {
  test("leaves a registry that nobody can open, and ends the same when it is run again", async ({
    folder,
  }) => {
    const worked = await makeWorkedRegistry(folder, 150);
    let interrupted = 0;
    for (let round = 0; round < 7; round++) {
      const path = copyOf(worked, folder, `round-${round}`);
      damage(path);
      const damaged = readFileSync(path);
      const repairer = startProcess("repairer.ts", { location: path, from: worked.backup });
      await repairer.next("begins");
      // From before anything is moved until after it has ended.
      await sleep(100 + round * 130);
      repairer.kill("SIGKILL");
      await repairer.ended;
      if (existsSync(`${path}.repair.json`)) {
        interrupted++;
        await expectRefusal("database_damaged", openRegistry(path));
        await expectRefusal("database_damaged", openRegistry(path, { mode: "read" }));
      }
      const report = await repairRegistry(path, { from: worked.backup });
      expect(await states(path)).toEqual(worked.truth);
      expect(await damageFound(path)).toEqual([]);
      const aside = readdirSync(join(folder, `round-${round}`)).filter((name) => name.includes(".damaged-"));
      expect(aside.length, `${round}: ${report?.problem}`).toBe(1);
      expect(readFileSync(join(folder, `round-${round}`, aside[0]!, "registry.db")).equals(damaged)).toBe(
        true,
      );
      const left = readdirSync(join(folder, `round-${round}`)).filter((name) => name.includes("repair"));
      expect(left.filter((name) => !name.endsWith(".lock"))).toEqual([]);
      rmSync(join(folder, `round-${round}`), { recursive: true });
    }
    expect(interrupted).toBeGreaterThan(1);
  });
});

describe("a registry that is repaired while it is in use", () => {
  test("holds every change that was acknowledged, and its writers fail clearly", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await makeDamaged(path);
    const writers = ["one", "two"].map((name) =>
      startProcess("acknowledging-writer.ts", { location: path, name }),
    );
    for (const writer of writers) await writer.next("ready");
    await sleep(500);
    const report = await repairRegistry(path);
    expect(report!.models.find(({ modelId }) => modelId === "damaged")).toMatchObject({ state: "recovered" });
    const made: string[] = [];
    for (const writer of writers) {
      expect(await writer.next("refused")).toBe("database_damaged");
      expect(await writer.next("read")).toBe("database_damaged");
      expect((await writer.ended).errors).toBe("");
      made.push(...(await writer.all<string>("made")));
    }
    expect(made.length).toBeGreaterThan(20);
    const found = await states(path);
    expect(made.filter((modelId) => !found.has(modelId))).toEqual([]);
    expect(await damageFound(path)).toEqual([]);
  });

  test("is followed into its backup again afterwards", async ({ folder }) => {
    const path = join(folder, "registry.db");
    const backup = join(folder, "backup");
    await makeDamaged(path);
    const controller = new AbortController();
    const followed = followBackup(path, backup, { signal: controller.signal });
    // The snapshot refuses a damaged row.
    await expectRefusal("database_damaged", followed);
    await repairRegistry(path);
    const again = followBackup(path, backup, { signal: controller.signal });
    await using registry = await waitFor(path, backup);
    await registry.models.create(localModel("later"));
    const newest = await registry.history.latestEventId();
    for (let wait = 0; lastLoggedEventId(backup) !== newest && wait < 100; wait++) await sleep(100);
    expect(lastLoggedEventId(backup)).toBe(newest);
    controller.abort();
    await again;
  });
});

async function waitFor(path: string, backup: string): Promise<Registry> {
  for (let wait = 0; listSnapshots(backup).length === 0 && wait < 100; wait++) await sleep(100);
  return openRegistry(path, { mode: "write" });
}

/** A registry with one damaged row that nobody asks for. */
async function makeDamaged(path: string): Promise<void> {
  const notes = "q".repeat(20_000);
  {
    await using registry = await openRegistry(path);
    await registry.models.create(localModel("damaged", { notes }));
  }
  const bytes = readFileSync(path);
  const at = bytes.indexOf("q".repeat(4000));
  bytes[at + 100] = 0x51;
  writeFileSync(path, bytes);
}
