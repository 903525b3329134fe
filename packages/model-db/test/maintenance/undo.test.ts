import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import fc from "fast-check";
import { expect } from "vitest";

import {
  checkRegistry,
  createSnapshot,
  followBackup,
  isRegistryError,
  lastLoggedEventId,
  listSnapshots,
  openRegistry,
  restoreAsChanges,
  type Model,
  type Registry,
} from "../../src/index.ts";
import { localModel } from "../contract/local-model.ts";
import { arbitraryOperation, perform, type Operation } from "../contract/random-operations.ts";
import { expectInvalid, expectRefusal } from "../contract/refusal.ts";
import { test } from "../sqlite/folder.ts";

const OWN = new Set(["rowVersion", "rowChecksum", "updatedAt", "status"]);

/** What a restore brings back: everything but what is the registry's own. */
function contentOf(model: Model): object {
  return Object.fromEntries(Object.entries(model).filter(([name]) => !OWN.has(name)));
}

async function stateOf({ models, files }: Registry): Promise<object[]> {
  const { items } = await models.list({ limit: 1000, sort: { field: "model_id" } });
  return Promise.all(
    items.map(async (model) => ({ ...contentOf(model), files: await files.list(model.modelId) })),
  );
}

async function performAll(registry: Registry, operations: readonly Operation[]): Promise<void> {
  for (const operation of operations) {
    await perform(registry, operation, "someone").catch((error: unknown) => {
      if (!isRegistryError(error)) throw error;
    });
  }
  for (const { token } of await registry.runs.list()) await registry.runs.release(token);
}

async function expectSound(location: string): Promise<void> {
  for await (const { code, message } of checkRegistry(location, { full: true })) {
    if (!code.startsWith("file_")) throw new Error(message);
  }
}

/** Those in which something had happened already: before that there is nothing to go back to. */
async function knownOf<T extends { readonly at: number }>({ history }: Registry, past: T[]): Promise<T[]> {
  const { items } = await history.list({ order: "asc", limit: 1 });
  return past.filter(({ at }) => items.length > 0 && at >= items[0]!.at);
}

/** A time that lies between what is before it and what comes after. */
async function moment(): Promise<number> {
  await sleep(2);
  const now = Date.now();
  await sleep(2);
  return now;
}

const operations = fc.array(arbitraryOperation, { minLength: 10, maxLength: 40 });

test("whatever happened, the registry becomes what it was at a time, and again what it was before that", async ({
  folder,
}) => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(operations, operations, operations, async (...parts) => {
      const location = join(folder, `${round++}.db`);
      await using registry = await openRegistry(location, { actor: "me" });
      const past: { at: number; state: object[] }[] = [];
      for (const part of parts) {
        await performAll(registry, part);
        past.push({ at: await moment(), state: await stateOf(registry) });
      }
      const known = await knownOf(registry, past);
      for (const { at, state } of [known[0]!, known[2]!, known[1]!].filter(Boolean)) {
        const planned = await restoreAsChanges(registry, { at }, { dryRun: true });
        const before = await registry.history.latestEventId();
        const done = await restoreAsChanges(registry, { at });
        expect({ ...done, snapshot: null }).toEqual(planned);
        expect(await stateOf(registry)).toEqual(state);
        if (done.snapshot !== null) expect(done.snapshot.eventId).toBe(before);
        const again = await restoreAsChanges(registry, { at });
        expect(again).toMatchObject({ created: [], updated: [], deleted: [], snapshot: null });
      }
      await expectSound(location);
    }),
    { numRuns: 12 },
  );
}, 60_000);

test("from a backup it becomes what that says, at its end and at any time that it knows", async ({
  folder,
}) => {
  let round = 0;
  await fc.assert(
    fc.asyncProperty(operations, operations, operations, operations, async (...parts) => {
      const location = join(folder, `${round}.db`);
      const backups = join(folder, `${round++}.backup`);
      await using registry = await openRegistry(location);
      const past: { at: number; state: object[] }[] = [];
      const go = async (part: readonly Operation[]): Promise<void> => {
        await performAll(registry, part);
        past.push({ at: await moment(), state: await stateOf(registry) });
      };
      await go(parts[0]);
      await go(parts[1]);
      const snapshot = await createSnapshot(location, backups);
      const controller = new AbortController();
      const following = followBackup(location, backups, { signal: controller.signal });
      await go(parts[2]);
      await go(parts[3]);
      const known = await knownOf(registry, past);
      const newest = await registry.history.latestEventId();
      while (lastLoggedEventId(backups) !== newest) await sleep(5);
      controller.abort();
      await following;
      await registry.models.create(localModel("since"));
      await restoreAsChanges(registry, { from: backups });
      expect(await stateOf(registry)).toEqual(past[3]!.state);
      for (const { at, state } of known) {
        await restoreAsChanges(registry, { from: backups, at });
        expect(await stateOf(registry)).toEqual(state);
      }
      await restoreAsChanges(registry, { from: snapshot.path });
      expect(await stateOf(registry)).toEqual(past[1]!.state);
      await expectSound(location);
    }),
    { numRuns: 4 },
  );
}, 60_000);

test("a model that was deleted comes back whole, and one that came since goes", async ({ folder }) => {
  await using registry = await openRegistry(join(folder, "registry.db"), { actor: "me" });
  const { models, files, history } = registry;
  await models.create(
    localModel("a", {
      alias: "first",
      aliases: ["second"],
      tags: ["t"],
      pinned: true,
      notes: "needle",
      metadata: { deep: [1] },
      createdAt: 12_345,
      files: [{ path: "p", role: "weights", sizeBytes: 5 }],
    }),
  );
  const was = await models.get("a");
  const at = await moment();
  await models.delete("a");
  await models.create(localModel("b", { aliases: ["first"] }));
  const report = await restoreAsChanges(registry, { at });
  expect(report).toMatchObject({ eventId: 1, created: ["a"], updated: [], deleted: ["b"] });
  expect(await models.resolve("first")).toMatchObject(contentOf(was));
  expect(await files.list("a")).toMatchObject([{ path: "p", sizeBytes: 5 }]);
  expect((await models.list({ search: "needle" })).items).toHaveLength(1);
  const { items } = await history.list({ order: "asc", cursor: "3" });
  expect(items.map(({ kind, modelId, actor }) => `${kind} ${modelId} ${actor}`)).toEqual([
    "deleted b me",
    "created a me",
  ]);
});

test("models that have swapped their names swap them back", async ({ folder }) => {
  await using registry = await openRegistry(join(folder, "registry.db"));
  const { models } = registry;
  await models.create(localModel("a", { alias: "x", aliases: ["y"] }));
  await models.create(localModel("b", { alias: "z" }));
  const at = await moment();
  await models.update("a", { alias: null, aliases: [] });
  await models.update("b", { alias: "x", aliases: ["y"] });
  await models.update("a", { alias: "z" });
  await restoreAsChanges(registry, { at });
  expect(await models.get("a")).toMatchObject({ alias: "x", aliases: ["y"] });
  expect(await models.get("b")).toMatchObject({ alias: "z", aliases: [] });
});

test("one model alone becomes what it was, and no other is touched", async ({ folder }) => {
  await using registry = await openRegistry(join(folder, "registry.db"));
  const { models } = registry;
  await models.create(localModel("a", { alias: "x" }));
  await models.create(localModel("b"));
  const at = await moment();
  await models.update("a", { notes: "changed" });
  await models.update("b", { notes: "changed" });
  const report = await restoreAsChanges(registry, { at }, { modelId: "a" });
  expect(report).toMatchObject({ created: [], updated: [{ modelId: "a", fields: ["notes"] }], deleted: [] });
  expect((await models.get("b")).notes).toBe("changed");

  await models.update("a", { alias: null });
  await models.update("b", { alias: "x" });
  await expectRefusal("name_taken", restoreAsChanges(registry, { at }, { modelId: "a" }));
  expect((await models.get("a")).alias).toBe(null);
  await expectRefusal("model_not_found", restoreAsChanges(registry, { at }, { modelId: "nobody" }));
});

test("a model that runs and would have to go is named, and nothing is changed", async ({ folder }) => {
  await using registry = await openRegistry(join(folder, "registry.db"));
  const { models, runs } = registry;
  await models.create(localModel("a"));
  const at = await moment();
  await models.update("a", { notes: "changed" });
  await models.create(localModel("b"));
  const run = await runs.acquire("b", { holder: "engine" });
  await runs.acquire("a", { holder: "engine" });
  const refusal = await expectRefusal("model_running", restoreAsChanges(registry, { at }));
  expect(refusal.message).toContain('"b"');
  expect((await models.get("a")).notes).toBe("changed");
  await runs.release(run.token);
  await restoreAsChanges(registry, { at });
  expect(await models.get("a")).toMatchObject({ notes: null, status: 1 });
  expect(await runs.list()).toHaveLength(1);
});

test("a backup of another registry, and one that is damaged, are refused", async ({ folder }) => {
  const [location, backups] = [join(folder, "registry.db"), join(folder, "backups")];
  await using registry = await openRegistry(location);
  await using other = await openRegistry(join(folder, "other.db"));
  const foreign = await createSnapshot(other.location, join(folder, "foreign"));
  await expectInvalid("from", restoreAsChanges(registry, { from: foreign.path }));
  await expectInvalid("at", restoreAsChanges(registry, {}));
  await registry.models.create(localModel("a"));
  const old = await createSnapshot(location, backups);
  await registry.models.create(localModel("b"));
  const { path } = await createSnapshot(location, backups);
  const bytes = readFileSync(path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(path, bytes);
  // The one before it is whole.
  expect((await restoreAsChanges(registry, { from: backups })).eventId).toBe(old.eventId);
  writeFileSync(old.path, "");
  await expectRefusal("not_found", restoreAsChanges(registry, { from: backups }));
  expect(listSnapshots(backups)).toHaveLength(2);
});

test("a time before everything is refused, instead of taking every model away", async ({ folder }) => {
  await using registry = await openRegistry(join(folder, "registry.db"));
  await registry.models.create(localModel("a"));
  await expectInvalid("at", restoreAsChanges(registry, { at: Date.now() - 3_600_000 }));
  expect(await registry.models.count()).toBe(1);
});

test("a snapshot from before a change of the schema is restored, and stays as it is", async ({ folder }) => {
  const location = join(folder, "registry.db");
  {
    await using registry = await openRegistry(location);
    await registry.models.create({ ...localModel("a"), notes: "then" });
    await registry.migrate(4);
  }
  await using registry = await openRegistry(location);
  await registry.models.update("a", { notes: "now" });
  const backups = `${location}.backups`;
  const folders = [backups, ...readdirSync(backups).map((name) => join(backups, name))];
  const snapshots = folders.flatMap((path) => listSnapshots(path));
  expect(snapshots.length).toBeGreaterThan(1);
  for (const { path } of snapshots) {
    const before = readFileSync(path);
    await registry.models.update("a", { notes: "now" });
    await restoreAsChanges(registry, { from: path });
    expect((await registry.models.get("a")).notes).toBe("then");
    expect(readFileSync(path).equals(before)).toBe(true);
  }
});
