import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect } from "vitest";

import { MODEL_STATUS, toRunRecord, type Model, type NewRun, type Registry } from "../../src/index.ts";
import { startProcess } from "../processes/start.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

const { READY, RUNNING } = MODEL_STATUS;
const SHORT_MS = 1000;
const HOUR_MS = 3_600_000;

/** What every way of reading says about one model. */
async function statuses({ models }: Registry, id: string): Promise<unknown[]> {
  const of = (list: { items: readonly Model[] }): unknown =>
    list.items.find(({ modelId }) => modelId === id)?.status;
  return [
    (await models.get(id)).status,
    (await models.find(id))!.status,
    (await models.resolve(id)).status,
    (await models.findByName(id))!.status,
    (await models.resolveMany([id])).get(id)!.status,
    of(await models.list()),
    of(await models.list({ search: id })),
    of(await models.list({ filter: { model_id: id } })),
    (await models.count({ filter: { status: RUNNING, model_id: id } })) === 1 ? RUNNING : READY,
    (await models.count({ filter: { status: { ne: READY }, model_id: id } })) === 1 ? RUNNING : READY,
    (await models.count({ filter: { status: [READY], model_id: id } })) === 1 ? READY : RUNNING,
    (await models.count({ filter: { status: { lt: 1 }, model_id: id } })) === 1 ? READY : RUNNING,
  ];
}

async function expectStatus(registry: Registry, id: string, status: number): Promise<void> {
  const all = await statuses(registry, id);
  expect(all).toEqual(all.map(() => status));
}

// Leases of a second or two are judged by real time: where the machine stands still for that long, they end.
describe.concurrent.each(ENGINES)("leases ($name)", { retry: 2 }, ({ test }) => {
  test("a lease says who runs what, since when and until when", async ({ registry }) => {
    const model = await registry.models.create(localModel("a", { alias: "x" }));
    const before = Date.now();
    const claim = {
      holder: "engine",
      node: "host-1",
      pid: 42,
      endpoint: "http://127.0.0.1:1",
      ttlMs: 60_000,
    };
    const run = await registry.runs.acquire("x", claim);
    expect(run).toEqual({
      token: run.token,
      modelId: "a",
      holder: "engine",
      node: "host-1",
      pid: 42,
      endpoint: "http://127.0.0.1:1",
      startedAt: run.startedAt,
      expiresAt: run.expiresAt,
      ttlMs: 60_000,
    });
    expect(run.startedAt).toBeGreaterThanOrEqual(before);
    expect(Math.abs(run.expiresAt - run.startedAt - 60_000)).toBeLessThan(500);
    const [listed] = await registry.runs.list();
    expect({ ...listed, expiresAt: 0 }).toEqual({ ...run, expiresAt: 0 });
    expect(await registry.runs.list({ name: "x" })).toHaveLength(1);
    await expectStatus(registry, "a", RUNNING);
    expect(await registry.models.get("a")).toMatchObject({
      rowVersion: model.rowVersion + 1,
      lastUsedAt: run.startedAt,
    });
    expect(Object.keys(toRunRecord(run))).toEqual([
      "token",
      "model_id",
      "holder",
      "node",
      "pid",
      "endpoint",
      "started_at",
      "expires_at",
      "ttl_ms",
    ]);
  });

  test("what is left out gets its default", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    const run = await registry.runs.acquire("a", { holder: "h" });
    expect(run).toMatchObject({ node: hostname(), pid: process.pid, endpoint: null, ttlMs: 30_000 });
  });

  test("another holder is refused while one holds the model, from any handle", async ({
    registry,
    store,
  }) => {
    await registry.models.create(localModel("a"));
    await registry.runs.acquire("a", { holder: "first", pid: 1 });
    const before = await store.dump();
    const other = await store.open();
    for (const claim of [
      { holder: "second", pid: 1 },
      { holder: "first", pid: 2 },
      { holder: "first" },
      { holder: "first", pid: 1, node: "elsewhere" },
      { holder: "second", join: false },
    ]) {
      const refusal = await expectRefusal(
        "model_running",
        other.runs.acquire("a", claim),
        JSON.stringify(claim),
      );
      expect(refusal.message).toContain("first");
    }
    expect(await store.dump()).toBe(before);
  });

  test("of ten that claim a model at once, exactly one gets it", async ({ registry, store }) => {
    await registry.models.create(localModel("a"));
    const handles = [registry, await store.open(), await store.open()];
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        handles[index % 3]!.runs.acquire("a", { holder: `h${index}` }),
      ),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "model_running" });
    }
    expect(await registry.runs.list()).toHaveLength(1);
  });

  test("one that joins shares the model, which runs until the last has let go", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    const first = await registry.runs.acquire("a", { holder: "first" });
    const second = await registry.runs.acquire("a", { holder: "second", join: true });
    expect(second.token).toBeGreaterThan(first.token);
    expect((await registry.runs.list({ name: "a" })).map(({ token }) => token)).toEqual([
      first.token,
      second.token,
    ]);
    await registry.runs.release(first.token);
    await expectStatus(registry, "a", RUNNING);
    await expectRefusal("model_running", registry.runs.acquire("a", { holder: "third" }));
    await registry.runs.release(second.token);
    await expectStatus(registry, "a", READY);
    expect(await registry.runs.list()).toEqual([]);
  });

  test("a joined lease that ran out does not end the other", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    const short = await registry.runs.acquire("a", { holder: "short", ttlMs: SHORT_MS });
    const long = await registry.runs.acquire("a", { holder: "long", join: true });
    await sleep(SHORT_MS + 20);
    await expectStatus(registry, "a", RUNNING);
    expect((await registry.runs.list()).map(({ token }) => token)).toEqual([long.token]);
    await expectRefusal("lease_lost", registry.runs.renew(short.token));
    await registry.models.update("a", { notes: "n" }, { leaseToken: long.token });
    await registry.runs.release(long.token);
    await expectStatus(registry, "a", READY);
  });

  test("the same holder, node and process again renews its lease, under the same token, as no change", async ({
    registry,
    store,
  }) => {
    await registry.models.create(localModel("a"));
    const claim = { holder: "h", pid: 7, node: "n", ttlMs: 5000 };
    const first = await registry.runs.acquire("a", claim);
    const version = (await registry.models.get("a")).rowVersion;
    const latest = await registry.history.latestEventId();
    const other = await store.open();
    const again = await other.runs.acquire("a", { ...claim, ttlMs: 60_000, endpoint: "http://new" });
    expect(again).toMatchObject({
      token: first.token,
      startedAt: first.startedAt,
      endpoint: "http://new",
      ttlMs: 60_000,
    });
    expect(again.expiresAt - first.expiresAt).toBeGreaterThan(50_000);
    expect(await registry.runs.list()).toHaveLength(1);
    expect((await registry.models.get("a")).rowVersion).toBe(version);
    expect(await registry.history.latestEventId()).toBe(latest);
  });

  test("renewing extends a lease from now, for as long as before or as said", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    const run = await registry.runs.acquire("a", { holder: "h", ttlMs: SHORT_MS });
    for (let round = 0; round < 3; round++) {
      await sleep(SHORT_MS * 0.6);
      const renewed = await registry.runs.renew(run.token);
      expect(renewed).toMatchObject({ token: run.token, ttlMs: SHORT_MS });
      expect(Math.abs(renewed.expiresAt - Date.now() - SHORT_MS)).toBeLessThan(300);
    }
    await expectStatus(registry, "a", RUNNING);
    expect((await registry.runs.renew(run.token, { ttlMs: 90_000 })).ttlMs).toBe(90_000);
    expect((await registry.runs.renew(run.token)).ttlMs).toBe(90_000);
    expect((await registry.runs.renew(run.token, { ttlMs: SHORT_MS })).ttlMs).toBe(SHORT_MS);
    await sleep(SHORT_MS + 20);
    await expectStatus(registry, "a", READY);
  });

  test("a lease that was given back is gone: it cannot be renewed, given back or used", async ({
    registry,
    store,
  }) => {
    await registry.models.create(localModel("a"));
    const { token } = await registry.runs.acquire("a", { holder: "h" });
    await registry.runs.release(token);
    const before = await store.dump();
    await expectRefusal("lease_lost", registry.runs.renew(token));
    await expectRefusal("lease_lost", registry.runs.release(token));
    await expectRefusal("lease_lost", registry.models.update("a", { notes: "n" }, { leaseToken: token }));
    await expectRefusal("lease_lost", registry.runs.renew(999_999));
    expect(await store.dump()).toBe(before);
  });

  test("a lease on another model guards nothing, and the refusal names the model that it does not hold on", async ({
    registry,
    store,
  }) => {
    await registry.models.createMany([localModel("a"), localModel("b")]);
    const { token } = await registry.runs.acquire("a", { holder: "h" });
    const before = await store.dump();
    const guarded = registry.models.update("b", { notes: "n" }, { leaseToken: token });
    const { message } = await expectRefusal("lease_lost", guarded);
    expect(message).toBe(
      `Lease ${token} does not hold on "b": it ran out, was released, or is another model's. Acquire one on "b" before you go on.`,
    );
    expect(await store.dump()).toBe(before);
  });

  test("a lease runs out by itself: every read says READY, and nothing was written for it", async ({
    registry,
    store,
  }) => {
    await registry.models.create(localModel("a"));
    const run = await registry.runs.acquire("a", { holder: "h", ttlMs: SHORT_MS });
    await expectStatus(registry, "a", RUNNING);
    const before = await store.dump();
    await sleep(SHORT_MS + 20);
    const reader = await store.open({ mode: "read" });
    for (const handle of [registry, reader]) {
      await expectStatus(handle, "a", READY);
      expect(await handle.runs.list()).toEqual([]);
      expect(await handle.runs.list({ name: "a" })).toEqual([]);
    }
    await expectRefusal("lease_lost", registry.runs.renew(run.token));
    await expectRefusal("lease_lost", registry.runs.release(run.token));
    expect(await store.dump()).toBe(before);
    await registry.models.delete("a");
  });

  test("modelAt tells that a lease had run out, before and after somebody noticed", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    const started = Date.now();
    await registry.runs.acquire("a", { holder: "h", ttlMs: SHORT_MS });
    await sleep(SHORT_MS + 400);
    const at = async (time: number): Promise<unknown> => (await registry.history.modelAt("a", time))?.status;
    expect([await at(started + 500), await at(started + SHORT_MS + 300)]).toEqual([RUNNING, READY]);
    await registry.models.update("a", { notes: "noticed" });
    expect([await at(started + 500), await at(started + SHORT_MS + 300), await at(Date.now())]).toEqual([
      RUNNING,
      READY,
      READY,
    ]);
  });

  test("the first change after a lease ran out tells it in the history", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    await registry.runs.acquire("a", { holder: "h", ttlMs: SHORT_MS });
    await sleep(SHORT_MS + 20);
    await registry.models.update("a", { notes: "n" });
    const { items } = await registry.history.list({ order: "asc" });
    expect(items.map(({ kind, rowVersion }) => [kind, rowVersion])).toEqual([
      ["created", 1],
      ["started", 2],
      ["expired", 3],
      ["updated", 4],
    ]);
    expect(items[2]).toMatchObject({ before: { status: RUNNING }, after: { status: READY } });
  });

  test("a version read after a lease ran out is good for the next change", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    await registry.runs.acquire("a", { holder: "h", ttlMs: SHORT_MS });
    await sleep(SHORT_MS + 20);
    const { rowVersion } = await registry.models.get("a");
    const changed = await registry.models.update("a", { notes: "n" }, { expectedRowVersion: rowVersion });
    expect(changed.notes).toBe("n");
    await expectRefusal(
      "row_version_mismatch",
      registry.models.update("a", { notes: "m" }, { expectedRowVersion: rowVersion }),
    );
  });

  test("sorting by status tells the truth after a lease ran out, on every page", async ({ registry }) => {
    for (const id of ["a", "b", "c", "d"]) await registry.models.create(localModel(id));
    await registry.runs.acquire("a", { holder: "h", ttlMs: SHORT_MS });
    await registry.runs.acquire("b", { holder: "h" });
    await registry.runs.acquire("c", { holder: "h", ttlMs: SHORT_MS });
    await sleep(SHORT_MS + 20);
    for (const direction of ["asc", "desc"] as const) {
      const seen: [string, number][] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof registry.models.list>> = await registry.models.list({
          sort: { field: "status", direction },
          limit: 1,
          cursor,
        });
        seen.push(...page.items.map(({ modelId, status }): [string, number] => [modelId, status]));
        cursor = page.nextCursor;
      } while (cursor !== null);
      const expected = [READY, READY, READY, RUNNING];
      expect(seen.map(([, status]) => status)).toEqual(
        direction === "asc" ? expected : expected.toReversed(),
      );
      expect(seen.map(([id]) => id).toSorted()).toEqual(["a", "b", "c", "d"]);
    }
  });

  test("after it ran out another takes over, with a larger token, and the old one can change nothing", async ({
    registry,
    store,
  }) => {
    await registry.models.create(localModel("a", { alias: "x" }));
    const old = await registry.runs.acquire("a", { holder: "old", ttlMs: SHORT_MS });
    await registry.models.update("a", { notes: "mine" }, { leaseToken: old.token });
    await sleep(SHORT_MS + 20);
    const taken = await registry.runs.acquire("a", { holder: "new" });
    expect(taken.token).toBeGreaterThan(old.token);
    await registry.files.put("a", { path: "p", role: "weights" }, { leaseToken: taken.token });
    const before = await store.dump();
    const stale = { leaseToken: old.token };
    const guarded: [string, () => Promise<unknown>][] = [
      ["update", () => registry.models.update("a", { notes: "stale" }, stale)],
      ["an update without a difference", () => registry.models.update("a", {}, stale)],
      ["changeAliases", () => registry.models.changeAliases("a", { add: ["y"] }, stale)],
      ["repointAlias", () => registry.models.repointAlias("y", "a", stale)],
      ["changeTags", () => registry.models.changeTags("a", { add: ["t"] }, stale)],
      ["delete", () => registry.models.delete("a", stale)],
      ["files.put", () => registry.files.put("a", { path: "q", role: "weights" }, stale)],
      ["files.delete", () => registry.files.delete("a", "p", stale)],
      ["acquire", () => registry.runs.acquire("a", { holder: "new" }, stale)],
      [
        "in a transaction",
        () => registry.transaction((tx) => tx.models.update("a", { notes: "stale" }, stale)),
      ],
    ];
    for (const [what, attempt] of guarded) await expectRefusal("lease_lost", attempt, what);
    expect(await store.dump()).toBe(before);
    await registry.models.update("a", { notes: "theirs" }, { leaseToken: taken.token });
  });

  test("a lease on one model does not guard another", async ({ registry }) => {
    for (const id of ["a", "b"]) await registry.models.create(localModel(id));
    const { token } = await registry.runs.acquire("a", { holder: "h" });
    await expectRefusal("lease_lost", registry.models.update("b", { notes: "n" }, { leaseToken: token }));
  });

  test("a guard that cannot hold is refused, not ignored", async ({ registry, store }) => {
    const before = await store.dump();
    await expectInvalid(undefined, registry.models.create(localModel("b"), { leaseToken: 1 } as never));
    await expectInvalid(
      undefined,
      registry.models.create(localModel("c"), { expectedRowVersion: 3 } as never),
    );
    expect(await store.dump()).toBe(before);
  });

  test("the token only grows, also when the model is deleted and made again, and over all models", async ({
    registry,
    store,
  }) => {
    const tokens: number[] = [];
    for (let round = 0; round < 3; round++) {
      for (const id of ["a", "b"]) {
        await registry.models.create(localModel(id));
        const { token } = await registry.runs.acquire(id, { holder: "h" });
        await registry.runs.release(token);
        await registry.models.delete(id);
        tokens.push(token);
      }
    }
    await registry.close();
    const reopened = await store.open();
    await reopened.models.create(localModel("a"));
    tokens.push((await reopened.runs.acquire("a", { holder: "h" })).token);
    expect(tokens).toEqual([...new Set(tokens)].toSorted((x, y) => x - y));
    await expectRefusal(
      "lease_lost",
      reopened.models.update("a", { notes: "n" }, { leaseToken: tokens[0]! }),
    );
  });

  test("a token that a failed transaction gave is never good", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    let given = 0;
    const failing = registry.transaction(async ({ runs }) => {
      given = (await runs.acquire("a", { holder: "h" })).token;
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await expectStatus(registry, "a", READY);
    await expectRefusal("lease_lost", registry.models.update("a", { notes: "n" }, { leaseToken: given }));
  });

  test.for([999, 2_592_000_001, 0, -1, 1.5, Number.NaN, "1000", null])(
    "%s is no time to live",
    async (ttlMs, { registry }) => {
      await registry.models.create(localModel("a"));
      const claim = { holder: "h", ttlMs } as NewRun;
      await expectInvalid("ttl_ms", registry.runs.acquire("a", claim));
      const { token } = await registry.runs.acquire("a", { holder: "h" });
      await expectInvalid("ttl_ms", registry.runs.renew(token, { ttlMs: ttlMs as number }));
    },
  );

  test.for([HOUR_MS, -HOUR_MS, 24 * HOUR_MS, -24 * HOUR_MS])(
    "a wall clock that is %i ms off at the holder changes nothing",
    { timeout: 15_000 },
    async (clockShiftMs, { registry, store }) => {
      await registry.models.create(localModel("a"));
      const ttlMs = 1500;
      const process = startProcess(
        "lease-holder.ts",
        { location: store.location, model: "a", ttlMs },
        { clockShiftMs },
      );
      try {
        const held = await process.next<{ token: number; startedAt: number; remainingMs: number }>("held");
        const since = performance.now();
        expect(Math.abs(held.startedAt - clockShiftMs - Date.now()), "the clock is off").toBeLessThan(5000);
        expect(held.remainingMs).toBeLessThanOrEqual(ttlMs);
        await expectStatus(registry, "a", RUNNING);
        const [run] = await registry.runs.list();
        expect(run!.expiresAt - Date.now()).toBeLessThanOrEqual(ttlMs);
        expect(run!.expiresAt - Date.now()).toBeGreaterThan(0);
        await expectRefusal("model_running", registry.runs.acquire("a", { holder: "other" }));
        await sleep(700);
        process.send("renew");
        expect(await process.next("answer")).toBe(ttlMs);
        await sleep(900);
        expect(performance.now() - since).toBeGreaterThan(ttlMs);
        await expectStatus(registry, "a", RUNNING);
        await sleep(700);
        await expectStatus(registry, "a", READY);
        process.send("status");
        expect(await process.next("answer")).toBe(READY);
        process.send("a late note");
        expect(await process.next("answer")).toBe("lease_lost");
        const { token } = await registry.runs.acquire("a", { holder: "other" });
        expect(token).toBeGreaterThan(held.token);
        process.send("another late note");
        expect(await process.next("answer")).toBe("lease_lost");
      } finally {
        process.kill("SIGKILL");
        await process.ended;
      }
    },
  );

  test("a holder that was killed is not running once its time is over, and nobody has to clean up", async ({
    registry,
    store,
  }) => {
    await registry.models.create(localModel("a"));
    const process = startProcess("lease-holder.ts", {
      location: store.location,
      model: "a",
      ttlMs: SHORT_MS,
    });
    const { token } = await process.next<{ token: number }>("held");
    process.kill("SIGKILL");
    expect(await process.ended).toMatchObject({ signal: "SIGKILL" });
    await sleep(SHORT_MS + 20);
    await expectStatus(registry, "a", READY);
    expect(await registry.runs.list()).toEqual([]);
    expect((await registry.runs.acquire("a", { holder: "next" })).token).toBeGreaterThan(token);
  });
});
