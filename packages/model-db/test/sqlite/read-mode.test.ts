import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect } from "vitest";

import { openReader, openRegistry, type Registry } from "../../src/index.ts";
import { expectRefusal } from "../contract/refusal.ts";
import { startProcess } from "../processes/start.ts";
import { contentsOf, test } from "./folder.ts";

const NOBODY = 65_534;

const model = (modelId: string): { modelId: string; sourceType: "local"; alias: null } => ({
  modelId,
  sourceType: "local",
  alias: null,
});

async function readAll({ models, files, history, runs }: Registry, id: string): Promise<void> {
  await models.list({ total: true, search: "abc" });
  await models.count();
  await models.get(id);
  await models.resolveMany([id]);
  await models.names({ prefix: "" });
  await files.list(id);
  await history.list();
  await history.modelAt(id, Date.now());
  await runs.list();
}

describe("the models of a registry, opened to read nothing else", () => {
  test("are the same as its own, whatever is asked of them", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await using registry = await openRegistry(path);
    for (const id of ["a", "b", "c"]) await registry.models.create({ ...model(id), tags: ["chat", id] });
    await using reader = await openReader(path);
    for (const options of [{}, { limit: 2, total: true }, { tags: { all: ["b"] } }, { search: "chat" }])
      expect(await reader.models.list(options)).toEqual(await registry.models.list(options));
    expect(await reader.models.resolve("b")).toEqual(await registry.models.get("b"));
    expect([...(await reader.models.resolveMany(["a", "d"])).keys()]).toEqual(["a"]);
    expect(await reader.models.count()).toBe(3);
  });

  test("are not found where there is no registry, and cannot be read after closing", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await expectRefusal("not_found", openReader(path));
    expect(contentsOf(folder)).toEqual({});
    await (await openRegistry(path)).close();
    const reader = await openReader(path);
    await reader.close();
    await expectRefusal("registry_closed", reader.models.list());
  });
});

describe("a registry opened to read", () => {
  test("where there is none is not found, and nothing is created, not even a folder", async ({ folder }) => {
    for (const path of ["registry.db", join("deep", "registry.db")]) {
      await expectRefusal("not_found", openRegistry(join(folder, path), { mode: "read" }));
      await expectRefusal("not_found", openRegistry(join(folder, path), { mode: "write" }));
    }
    expect(contentsOf(folder)).toEqual({});
  });

  test("answers every question and does not change a byte of it", async ({ folder }) => {
    const path = join(folder, "registry.db");
    {
      await using registry = await openRegistry(path);
      await registry.models.create(model("a"));
    }
    const before = contentsOf(folder);
    {
      await using reader = await openRegistry(path, { mode: "read" });
      await readAll(reader, "a");
      await reader.schema();
    }
    // The log and its index are SQLite's own; an empty log holds nothing.
    const { "registry.db-shm": _, "registry.db-wal": log, ...after } = contentsOf(folder);
    expect(after).toEqual(before);
    expect(log ?? "0 bytes").toMatch(/^0 bytes/);
  });

  test("refuses every change as read_only", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await using registry = await openRegistry(path);
    await registry.models.create(model("a"));
    await using reader = await openRegistry(path, { mode: "read" });
    const { models, files, runs } = reader;
    const attempts: [string, () => Promise<unknown>][] = [
      ["create", () => models.create(model("b"))],
      ["createMany", () => models.createMany([model("b")])],
      ["update", () => models.update("a", { notes: "n" })],
      ["changeAliases", () => models.changeAliases("a", { add: ["x"] })],
      ["repointAlias", () => models.repointAlias("x", "a")],
      ["changeTags", () => models.changeTags("a", { add: ["t"] })],
      ["delete", () => models.delete("a")],
      ["files.put", () => files.put("a", { path: "p", role: "other" })],
      ["files.delete", () => files.delete("a", "p")],
      ["acquire", () => runs.acquire("a", { holder: "h" })],
      ["renew", () => runs.renew(1)],
      ["release", () => runs.release(1)],
      ["transaction", () => reader.transaction((tx) => tx.models.create(model("b")))],
      ["migrate", () => reader.migrate()],
      ["migrate down", () => reader.migrate(1)],
    ];
    for (const [what, attempt] of attempts) await expectRefusal("read_only", attempt, what);
    expect(await registry.models.count()).toBe(1);
    expect((await registry.schema()).version).toBe((await registry.schema()).latest);
  });

  test.runIf(process.platform !== "win32")(
    "in a folder that cannot be written to is refused, with the way to read it all the same",
    async ({ folder }) => {
      const path = join(folder, "registry.db");
      await (await openRegistry(path)).close();
      chmodSync(folder, 0o555);
      // Root may write everywhere.
      const isRoot = process.getuid!() === 0;
      if (isRoot) process.seteuid!(NOBODY);
      try {
        const refusal = await expectRefusal("read_only", openRegistry(path, { mode: "read" }));
        expect(refusal.message).toContain(`the folder ${folder} cannot be written to`);
        expect(refusal.message).toContain("copy the file");
      } finally {
        if (isRoot) process.seteuid!(0);
        chmodSync(folder, 0o755);
      }
    },
  );

  test("sees what a writer commits meanwhile, in this process and in another", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await using registry = await openRegistry(path);
    await using reader = await openRegistry(path, { mode: "read" });
    expect(await reader.models.count()).toBe(0);
    await registry.models.create(model("a"));
    expect(await reader.models.count()).toBe(1);
    const other = startProcess("commits.ts", { location: path, rounds: 3, atOnce: 2 });
    expect((await other.ended).code).toBe(0);
    expect(await reader.models.count()).toBe(7);
  });

  test("reads what a killed writer had committed, and leaves its log alone", async ({ folder }) => {
    const path = join(folder, "registry.db");
    const writer = startProcess("commits.ts", { location: path, rounds: 100_000, atOnce: 1 });
    await writer.next("begin");
    let confirmed = 0;
    while (confirmed < 20) confirmed = await writer.next<number>("committed");
    writer.kill("SIGKILL");
    await writer.ended;
    const { "registry.db-shm": _, ...before } = contentsOf(folder);
    {
      await using reader = await openRegistry(path, { mode: "read" });
      expect(await reader.models.count()).toBeGreaterThan(confirmed);
      await readAll(reader, "0.0");
    }
    const { "registry.db-shm": __, ...after } = contentsOf(folder);
    expect(after).toEqual(before);
  });

  test("is refused when its schema is old, and is not brought up to date", async ({ folder }) => {
    const path = join(folder, "registry.db");
    const empty = join(folder, "empty.db");
    writeFileSync(empty, "");
    {
      await using registry = await openRegistry(path);
      await registry.models.create(model("a"));
      await registry.migrate(2);
    }
    const { "registry.db": before } = contentsOf(folder);
    await expectRefusal("schema_too_old", openRegistry(path, { mode: "read" }));
    await expectRefusal("schema_too_old", openRegistry(path, { mode: "read", migrate: true }));
    await expectRefusal("schema_too_old", openRegistry(empty, { mode: "read" }));
    expect(contentsOf(folder)).toMatchObject({ "registry.db": before });
    expect(contentsOf(folder)["empty.db"]).toMatch(/^0 bytes/);
  });
});
