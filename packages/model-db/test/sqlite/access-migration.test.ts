import { join } from "node:path";

import Database from "better-sqlite3";
import { expect } from "vitest";

import { checkRegistry, openRegistry, type Registry } from "../../src/index.ts";
import { localModel } from "../contract/local-model.ts";
import { test } from "./folder.ts";

/** The schema before users and owners. */
const BEFORE = 6;

async function findings(path: string): Promise<string[]> {
  const found = [];
  for await (const { message } of checkRegistry(path, { full: true })) found.push(message);
  return found;
}

async function fill(registry: Registry): Promise<void> {
  const { users, tokens } = registry.access;
  await users.create({ name: "ann", grants: [{ role: "editor" }] });
  const { token } = await tokens.create("ann");
  const identity = await registry.access.authenticate(token);
  const mine = registry.as({ identity, origin: { address: "192.0.2.7" } });
  await mine.models.create(localModel("private", { private: true, tags: ["t"] }));
  await mine.models.create(localModel("owned"));
  await mine.models.create(localModel("gone"));
  await mine.models.delete("gone");
  await registry.models.create(localModel("free"));
}

test("what was written before there were owners keeps its checksums, and the check finds nothing", async ({
  folder,
}) => {
  const path = join(folder, "registry.db");
  await using registry = await openRegistry(path);
  await registry.migrate(BEFORE);
  const old = new Database(path);
  old.exec(`
    INSERT INTO models (model_id, model_format, status, model_alias) VALUES ('a', 'local', 'downloaded', 'b');
    UPDATE models SET model_alias = 'c' WHERE model_id = 'a';
  `);
  old.close();
  await registry.migrate();
  await registry.models.update("a", { notes: "n" });
  const rows = (): unknown[] => {
    const database = new Database(path, { readonly: true });
    const stored = ["model", "model_event"].flatMap((table) =>
      database.prepare(`SELECT row_checksum FROM ${table}`).pluck().all(),
    );
    database.close();
    return stored;
  };
  const before = rows();
  await registry.migrate(BEFORE);
  expect(rows()).toEqual(before);
  await registry.migrate();
  expect(rows()).toEqual(before);
  expect(await findings(path)).toEqual([]);
});

test("on the way down owners go, with an entry in the history, and all is sound there and when up again", async ({
  folder,
}) => {
  const path = join(folder, "registry.db");
  await using registry = await openRegistry(path);
  await fill(registry);
  const created = await registry.models.get("private");
  expect(await findings(path)).toEqual([]);
  await registry.migrate(BEFORE);
  const database = new Database(path, { readonly: true });
  const objects = database.prepare("SELECT group_concat(name) FROM sqlite_schema").pluck().get() as string;
  expect(objects).not.toContain("access");
  // What depended on what is gone has no checksum any more, and is listed to get one.
  expect(database.prepare("SELECT model_id FROM model WHERE row_checksum = ''").pluck().all()).toEqual([
    "private",
    "owned",
  ]);
  const unsigned = "SELECT event_id FROM model_event WHERE row_checksum = '' ORDER BY event_id";
  expect(database.prepare(unsigned).pluck().all()).toEqual(
    database.prepare("SELECT event_id FROM model_unseen ORDER BY event_id").pluck().all(),
  );
  database.close();
  await registry.migrate();
  await registry.models.update("free", { notes: "the next change signs what has no checksum" });
  expect(await findings(path)).toEqual([]);
  expect(await registry.models.get("private")).toMatchObject({
    owner: null,
    private: false,
    rowVersion: created.rowVersion + 1,
  });
  const [told] = (await registry.history.list({ modelId: "private" })).items;
  expect(told).toMatchObject({
    kind: "updated",
    before: { owner: "ann", private: true },
    after: { owner: null },
  });
  expect(await registry.access.hasUsers()).toBe(false);
});

test("a private model that an old program deletes stays private in the history", async ({ folder }) => {
  const path = join(folder, "registry.db");
  await using registry = await openRegistry(path);
  await fill(registry);
  const old = new Database(path);
  old.exec("DELETE FROM models WHERE model_id = 'private'");
  old.close();
  await registry.models.update("free", { notes: "n" });
  await registry.access.users.create({ name: "bob", grants: [{ role: "editor" }] });
  const { token } = await registry.access.tokens.create("bob");
  const bob = registry.as({ identity: await registry.access.authenticate(token) });
  expect((await bob.history.list({ modelId: "private" })).items).toEqual([]);
  expect((await bob.history.list({ modelId: "gone" })).items).toHaveLength(2);
  const [gone] = (await registry.history.list({ modelId: "private" })).items;
  expect(gone).toMatchObject({ kind: "deleted", before: { owner: "ann", private: true } });
  expect(await findings(path)).toEqual([]);
});
