import fc from "fast-check";
import { describe, expect, vi } from "vitest";

import {
  EVENT_KINDS,
  isRegistryError,
  toEventRecord,
  toRecord,
  type JsonObject,
  type Model,
  type ModelEvent,
  type Page,
  type Registry,
} from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { arbitraryOperation, OPERATION_IDS, perform } from "./random-operations.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

// Every change sets these, so a change does not tell them.
const IMPLIED = ["updated_at", "row_version", "row_checksum"];

async function events({ history }: Registry): Promise<readonly ModelEvent[]> {
  return (await history.list({ order: "asc", limit: 1000 })).items;
}

async function modelsById({ models }: Registry): Promise<Map<string, Model>> {
  return new Map((await models.list({ limit: 1000 })).items.map((model) => [model.modelId, model]));
}

function difference(before: Model, after: Model): { before: JsonObject; after: JsonObject } {
  const [old, now] = [toRecord(before), toRecord(after)];
  const changed = Object.keys(old).filter(
    (key) =>
      !IMPLIED.includes(key) && JSON.stringify(old[key as "notes"]) !== JSON.stringify(now[key as "notes"]),
  );
  const pick = (record: JsonObject): JsonObject =>
    Object.fromEntries(changed.map((key) => [key, record[key]!]));
  return { before: pick(old), after: pick(now) };
}

function isKnown(value: unknown): boolean {
  return typeof value === "object" ? value !== null && Object.keys(value).length > 0 : value !== false;
}

/** The record as a creation or deletion tells it: without what is unknown or empty. */
function known(model: Model): JsonObject {
  return Object.fromEntries(Object.entries(toRecord(model)).filter(([, value]) => isKnown(value)));
}

function withoutFiles(record: JsonObject): JsonObject {
  const { files: _, ...rest } = record;
  return rest;
}

describe.each(ENGINES)("the history ($name)", ({ test, createStore }) => {
  test("has one event for each change of a model, with what was before and after and by whom, and none for a failure", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryOperation, { minLength: 1, maxLength: 25 }), async (operations) => {
        await using store = await createStore();
        const registry = await store.open();
        let before = await modelsById(registry);
        let told = (await events(registry)).length;
        for (const [index, operation] of operations.entries()) {
          const actor = `actor ${index}`;
          const what = JSON.stringify(operation);
          let failed = false;
          try {
            await perform(registry, operation, actor);
          } catch (error) {
            expect(isRegistryError(error), `${what}: ${String(error)}`).toBe(true);
            failed = true;
          }
          const after = await modelsById(registry);
          const fresh = (await events(registry)).slice(told);
          told += fresh.length;
          if (failed) {
            expect([fresh, after], what).toEqual([[], before]);
            continue;
          }
          for (const event of fresh) {
            expect(event.actor, what).toBe(actor);
            expect(Math.abs(event.at - Date.now()), what).toBeLessThan(5000);
          }
          const byModel = new Map(fresh.map((event) => [event.modelId, event]));
          expect(byModel.size, `${what}: one event for each model`).toBe(fresh.length);
          for (const id of OPERATION_IDS) {
            const [old, now, event] = [before.get(id), after.get(id), byModel.get(id)];
            if (old?.rowVersion === now?.rowVersion && old?.createdAt === now?.createdAt) {
              expect([now, event], what).toEqual([old, undefined]);
              continue;
            }
            expect(event?.rowVersion, what).toBe(now?.rowVersion ?? old?.rowVersion);
            if (old === undefined) {
              expect([event!.kind, event!.before], what).toEqual(["created", null]);
              expect(withoutFiles(event!.after!), what).toEqual(known(now!));
            } else if (now === undefined) {
              expect([event!.kind, event!.after], what).toEqual(["deleted", null]);
              expect(withoutFiles(event!.before!), what).toEqual(known(old));
            } else {
              expect(now.rowVersion, what).toBe(old.rowVersion + 1);
              expect(event!.at, what).toBe(now.updatedAt);
              const changed = difference(old, now);
              expect(event!.before ?? {}, what).toMatchObject(changed.before);
              expect(event!.after, what).toMatchObject(changed.after);
            }
          }
          before = after;
        }
      }),
      { numRuns: 35 },
    );
  }, 60_000);

  test("says what kind of change it was", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    await registry.models.update("a", { notes: "n" });
    await registry.models.update("a", { alias: "x" });
    await registry.models.changeAliases("a", { add: ["y"] });
    await registry.models.changeTags("a", { add: ["t"] });
    await registry.models.update("a", { tags: [], notes: "both" });
    await registry.files.put("a", { path: "p", role: "other" });
    const run = await registry.runs.acquire("a", { holder: "h" });
    await registry.runs.release(run.token);
    await registry.models.delete("a");
    expect((await events(registry)).map(({ kind }) => kind)).toEqual([
      "created",
      "updated",
      "aliased",
      "aliased",
      "tagged",
      "updated",
      "files_changed",
      "started",
      "stopped",
      "deleted",
    ]);
  });

  test("attributes a change to the actor of the call, else of the transaction, else of the registry, else to unknown", async ({
    registry,
    store,
  }) => {
    const nobody = await store.open();
    await nobody.models.create(localModel("1"));
    await registry.models.create(localModel("2"));
    await registry.models.create(localModel("3"), { actor: "caller" });
    await registry.transaction(async ({ models }) => {
      await models.create(localModel("4"));
      await models.create(localModel("5"), { actor: "caller" });
    });
    await registry.transaction(({ models }) => models.create(localModel("6")), { actor: "whole" });
    await registry.models.createMany([localModel("7")], { actor: "bulk" });
    const actors = (await events(registry)).map(({ actor }) => actor);
    expect(actors).toEqual(["unknown", "tester", "caller", "tester", "caller", "whole", "bulk"]);
  });

  test("a re-pointed alias is told of both models", async ({ registry }) => {
    await registry.models.create(localModel("a", { alias: "x" }));
    await registry.models.create(localModel("b"));
    await registry.models.repointAlias("x", "b");
    expect((await events(registry)).slice(2)).toMatchObject([
      { modelId: "a", kind: "aliased", before: { alias: "x" }, after: { alias: null } },
      { modelId: "b", kind: "aliased", before: { aliases: [] }, after: { aliases: ["x"] } },
    ]);
  });

  test("can be read by model, actor, kind and time, in either order, and all at once", async ({
    registry,
  }) => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const actors = ["anna", "bert", "o'neil -- \""];
      for (let index = 0; index < 30; index++) {
        vi.setSystemTime(1000 + index);
        const id = `m${index % 5}`;
        const actor = actors[index % 3]!;
        if (index < 5) await registry.models.create(localModel(id), { actor });
        else if (index % 4 === 0) await registry.models.changeTags(id, { add: [`t${index}`] }, { actor });
        else await registry.models.update(id, { notes: `${index}` }, { actor });
      }
      const all = await events(registry);
      expect(all.map(({ at }) => at)).toEqual(Array.from({ length: 30 }, (_, index) => 1000 + index));
      const filters: [Parameters<typeof registry.history.list>[0], (event: ModelEvent) => boolean][] = [
        [{ modelId: "m3" }, ({ modelId }) => modelId === "m3"],
        [{ actor: actors[2]! }, ({ actor }) => actor === actors[2]],
        [{ kind: "tagged" }, ({ kind }) => kind === "tagged"],
        [{ kind: ["tagged", "created", "tagged"] }, ({ kind }) => kind !== "updated"],
        [{ kind: EVENT_KINDS }, () => true],
        [{ since: 1010 }, ({ at }) => at >= 1010],
        [{ until: 1010 }, ({ at }) => at <= 1010],
        [{ since: 1010, until: 1010 }, ({ at }) => at === 1010],
        [{ since: 1011, until: 1010 }, () => false],
        [
          { modelId: "m1", actor: "bert", kind: ["updated", "created"], since: 1001, until: 1025 },
          ({ modelId, actor, kind, at }) =>
            modelId === "m1" && actor === "bert" && kind !== "tagged" && at <= 1025,
        ],
        [{ modelId: "none" }, () => false],
      ];
      for (const [filter, matches] of filters) {
        const what = JSON.stringify(filter);
        const expected = all.filter(matches);
        expect((await registry.history.list({ ...filter, order: "asc" })).items, what).toEqual(expected);
        expect((await registry.history.list(filter)).items, what).toEqual(expected.toReversed());
        for (const order of ["asc", "desc"] as const) {
          const paged: ModelEvent[] = [];
          let cursor: string | null = null;
          do {
            const page: Awaited<ReturnType<typeof registry.history.list>> = await registry.history.list({
              ...filter,
              order,
              limit: 2,
              cursor,
            });
            paged.push(...page.items);
            cursor = page.nextCursor;
          } while (cursor !== null);
          expect(paged, what).toEqual(order === "asc" ? expected : expected.toReversed());
        }
      }
    } finally {
      vi.useRealTimers();
    }
  });

  test("of a model is the same as that of all, cut down to it, however long it has become", async ({
    registry,
  }) => {
    const ids = ["a", "b", "c"];
    await registry.models.createMany(ids.map((id) => localModel(id)));
    const changeAll = async (times: number): Promise<void> => {
      for (let count = 0; count < times; count++)
        await Promise.all(ids.map((id) => registry.models.update(id, { contextLength: count + 1 })));
    };
    await changeAll(5);
    // Thousands of events are indexed together, and these are on both sides of that.
    await registry.models.createMany(Array.from({ length: 4065 }, (_, index) => localModel(`m${index}`)));
    await changeAll(9);
    await registry.models.delete("c");
    const all: ModelEvent[] = [];
    for await (const event of registry.history.all({ order: "asc" })) all.push(event);
    expect(all.length).toBeGreaterThan(4096);
    for (const modelId of [...ids, "m7", "m4060"]) {
      const own = all.filter((event) => event.modelId === modelId);
      for (const order of ["asc", "desc"] as const) {
        const inOrder = order === "asc" ? own : own.toReversed();
        for (let cursor: string | null = null, at = 0; ; at += 4) {
          const page: Page<ModelEvent> = await registry.history.list({ modelId, order, limit: 4, cursor });
          expect(page.items).toEqual(inOrder.slice(at, at + 4));
          cursor = page.nextCursor;
          if (cursor === null) break;
        }
        const kind = ["updated", "deleted"] as const;
        const { items } = await registry.history.list({ modelId, order, kind, since: own[0]!.at });
        expect(items).toEqual(inOrder.filter((event) => event.kind !== "created"));
      }
    }
    const [before] = all.filter(({ kind }) => kind === "deleted");
    expect((await registry.history.modelAt("c", before!.at - 1))?.rowVersion).toBeGreaterThan(5);
  });

  test("its pages neither repeat nor skip while more happens", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    for (let index = 0; index < 9; index++) await registry.models.update("a", { notes: `${index}` });
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof registry.history.list>> = await registry.history.list({
        limit: 3,
        cursor,
      });
      seen.push(...page.items.map(({ eventId }) => eventId));
      cursor = page.nextCursor;
      await registry.models.update("a", { notes: `again ${seen.length}` });
    } while (cursor !== null);
    const expected = (await events(registry)).slice(0, 10).map(({ eventId }) => eventId);
    expect(seen).toEqual(expected.toReversed());
  });

  test("has 50 events to a page when not said, and 1,000 at most", async ({ registry }) => {
    await registry.models.createMany(Array.from({ length: 1001 }, (_, index) => localModel(`m${index}`)));
    expect((await registry.history.list()).items).toHaveLength(50);
    expect((await registry.history.list({ limit: 1000 })).items).toHaveLength(1000);
    await expectInvalid("limit", registry.history.list({ limit: 1001 }));
  });

  test("event ids only grow, also across a deletion and a failure", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    await expectRefusal("name_taken", registry.models.create(localModel("a")));
    await registry.models.delete("a");
    const latest = await registry.history.latestEventId();
    await registry.models.create(localModel("a"));
    expect(await registry.history.latestEventId()).toBeGreaterThan(latest);
    const ids = (await events(registry)).map(({ eventId }) => eventId);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(new Set(ids).size).toBe(3);
  });

  test("the newest event's id is 0 before anything has happened", async ({ registry }) => {
    expect(await registry.history.latestEventId()).toBe(0);
    expect(await registry.history.list()).toEqual({ items: [], nextCursor: null });
  });

  test("the database itself refuses to change or delete an event", async ({ registry, store }) => {
    await registry.models.create(localModel("a"));
    const before = await store.dump();
    for (const sql of [
      "UPDATE model_event SET actor = 'somebody else'",
      "UPDATE model_event SET event_id = event_id + 1",
      "DELETE FROM model_event",
      "DELETE FROM model_event WHERE event_id = 1",
    ]) {
      await expect(store.query(sql), sql).rejects.toThrow("append-only");
    }
    expect(await store.dump()).toBe(before);
  });

  test("a failure of its event undoes the change", async ({ registry, store }) => {
    await registry.models.create(localModel("a"));
    await store.query("ALTER TABLE model_event RENAME TO model_event_away");
    for (const change of [
      registry.models.update("a", { notes: "x" }),
      registry.models.create(localModel("b")),
      registry.models.delete("a"),
    ]) {
      await expect(change).rejects.toBeInstanceOf(Error);
    }
    await store.query("ALTER TABLE model_event_away RENAME TO model_event");
    expect((await registry.models.list()).items).toMatchObject([
      { modelId: "a", notes: null, rowVersion: 1 },
    ]);
    expect(await events(registry)).toHaveLength(1);
  });

  test("as data, an event has the names of the columns", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    const [event] = await events(registry);
    expect(Object.keys(toEventRecord(event!))).toEqual([
      "event_id",
      "model_id",
      "kind",
      "actor",
      "at",
      "row_version",
      "before",
      "after",
      "origin",
    ]);
  });
});
