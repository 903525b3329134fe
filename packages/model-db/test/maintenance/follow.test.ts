import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { expect, vi } from "vitest";

import {
  createSnapshot,
  followBackup,
  isIntactSnapshot,
  lastLoggedEventId,
  listSnapshots,
  openRegistry,
  readChangeLog,
  type LogDamage,
  type ModelEvent,
  type Registry,
} from "../../src/index.ts";
import { localModel } from "../contract/local-model.ts";
import { expectRefusal } from "../contract/refusal.ts";
import { startProcess } from "../processes/start.ts";
import { test } from "../sqlite/folder.ts";

vi.setConfig({ testTimeout: 60_000 });

async function loggedEvents(folder: string): Promise<ModelEvent[]> {
  const damage: LogDamage[] = [];
  const events = [];
  for await (const event of readChangeLog(folder, { onDamage: (one) => damage.push(one) }))
    events.push(event);
  expect(damage).toEqual([]);
  return events;
}

async function history(registry: Registry, after: number): Promise<ModelEvent[]> {
  return Array.fromAsync(registry.history.all({ order: "asc", cursor: String(after) }));
}

/** Follows in this process while something is done. */
async function following(
  location: string,
  folder: string,
  work: (reached: (eventId: number) => Promise<void>) => Promise<void>,
  options: { snapshotEveryMs?: number; keep?: number } = {},
): Promise<void> {
  const controller = new AbortController();
  const state: { failure?: unknown } = {};
  const followed = followBackup(location, folder, {
    signal: controller.signal,
    ...options,
  }).catch((error: unknown) => (state.failure = error));
  const failed = (): boolean => "failure" in state;
  try {
    await work(async (eventId) => {
      while ((lastLoggedEventId(folder) ?? 0) < eventId && !failed()) await sleep(5);
    });
  } finally {
    controller.abort();
    await followed;
  }
  if (failed()) throw state.failure;
}

test("a snapshot is taken first, and then every change is in the log soon after its commit", async ({
  folder,
}) => {
  const [location, backups] = [join(folder, "registry.db"), join(folder, "backups")];
  await using registry = await openRegistry(location);
  await registry.models.create(localModel("before"));
  const waits: number[] = [];
  await following(location, backups, async (reached) => {
    while (lastLoggedEventId(backups) === undefined) await sleep(5);
    for (let number = 2; number <= 12; number++) {
      await registry.models.create(localModel(`m${number}`, { tags: ["t"] }));
      const start = performance.now();
      await reached(number);
      waits.push(performance.now() - start);
    }
  });
  expect(listSnapshots(backups).map(({ eventId }) => eventId)).toEqual([1]);
  expect(await loggedEvents(backups)).toEqual(await history(registry, 1));
  // At most 250 ms by itself; the machine may be busy.
  expect(waits.toSorted((a, b) => a - b)[5]).toBeLessThan(250);
  expect(JSON.parse(readFileSync(`${location}.backup.json`, "utf8"))).toEqual({
    format: 1,
    registry_id: registry.registryId,
    folder: backups,
  });
});

test("many changes at once go to the disk together", async ({ folder }) => {
  const [location, backups] = [join(folder, "registry.db"), join(folder, "backups")];
  await using registry = await openRegistry(location);
  let writes = 0;
  const controller = new AbortController();
  const followed = followBackup(location, backups, {
    signal: controller.signal,
    onLogged: (eventId) => {
      writes++;
      if (eventId === 1000) controller.abort();
    },
  });
  while (lastLoggedEventId(backups) === undefined) await sleep(5);
  await registry.models.createMany(Array.from({ length: 1000 }, (_, index) => localModel(`m${index}`)));
  await followed;
  expect(writes).toBeLessThanOrEqual(4);
  expect(await loggedEvents(backups)).toHaveLength(1000);
});

test("killed again and again, it goes on exactly where it was: nothing is missed, nothing is there twice", async ({
  folder,
}) => {
  const [location, backups] = [join(folder, "registry.db"), join(folder, "backups")];
  await using registry = await openRegistry(location);
  const writer = startProcess("writer.ts", { location, name: "w", changes: 100_000, pauseMs: 1 });
  await writer.next("ready");
  writer.send("go");
  for (let round = 0; round < 6; round++) {
    // Every other one is in the middle of snapshots, new segments and what goes with old ones.
    const snapshotEveryMs = round % 2 === 0 ? 60_000 : 50;
    const follower = startProcess("follower.ts", { location, folder: backups, snapshotEveryMs });
    await follower.next("logged");
    await sleep(Math.random() * (round % 2 === 0 ? 60 : 600));
    follower.kill("SIGKILL");
    await follower.ended;
  }
  writer.kill("SIGKILL");
  await writer.ended;
  const newest = await registry.history.latestEventId();
  await following(location, backups, (reached) => reached(newest));
  const logged = await loggedEvents(backups);
  const [first] = logged;
  expect(logged).toEqual(await history(registry, first!.eventId - 1));
  expect(lastLoggedEventId(backups)).toBe(newest);
  const snapshots = listSnapshots(backups);
  expect(first!.eventId).toBeLessThanOrEqual(snapshots.at(-1)!.eventId + 1);
  expect(snapshots.map(isIntactSnapshot)).toEqual(snapshots.map(() => true));
});

test("one process follows into a folder; a dead one is in nobody's way", async ({ folder }) => {
  const [location, backups] = [join(folder, "registry.db"), join(folder, "backups")];
  await (await openRegistry(location)).close();
  const follower = startProcess("follower.ts", { location, folder: backups });
  await follower.next("snapshot");
  const { signal } = new AbortController();
  await expectRefusal("database_busy", followBackup(location, backups, { signal }));
  follower.kill("SIGKILL");
  await follower.ended;
  await following(location, backups, async () => sleep(100));
  const again = startProcess("follower.ts", { location, folder: backups });
  await using registry = await openRegistry(location);
  await registry.models.create(localModel("a"));
  await again.next("logged");
  again.kill("SIGTERM");
  expect(await again.ended).toMatchObject({ code: 0, errors: "" });
});

test("snapshots go on while it follows, the log begins a new segment at each, and the old ones go", async ({
  folder,
}) => {
  const [location, backups] = [join(folder, "registry.db"), join(folder, "backups")];
  await using registry = await openRegistry(location);
  const work = async (reached: (eventId: number) => Promise<void>): Promise<void> => {
    for (let number = 1; number <= 8; number++) {
      await registry.models.create(localModel(`m${number}`));
      await reached(number);
      while (listSnapshots(backups)[0]?.eventId !== number) await sleep(5);
    }
  };
  await following(location, backups, work, { snapshotEveryMs: 1, keep: 2 });
  const kept = listSnapshots(backups).map(({ eventId }) => eventId);
  expect(kept).toEqual([8, 7]);
  expect(await loggedEvents(backups)).toEqual(await history(registry, 7));
  expect(readdirSync(join(backups, "log"))).toHaveLength(2);
});

test("a registry that is behind its backup is refused, and so is one that went another way", async ({
  folder,
}) => {
  const [location, backups] = [join(folder, "registry.db"), join(folder, "backups")];
  const old = join(folder, "old.db");
  {
    await using registry = await openRegistry(location);
    await registry.models.create(localModel("a"));
    const { path } = await createSnapshot(location, join(folder, "elsewhere"));
    copyFileSync(path, old);
    await registry.models.create(localModel("b"));
    await following(location, backups, async (reached) => {
      while (lastLoggedEventId(backups) === undefined) await sleep(5);
      await registry.models.create(localModel("c"));
      await reached(3);
    });
  }
  renameSync(old, location);
  // Without its note nothing else compares the two.
  rmSync(`${location}.backup.json`);
  const { signal } = new AbortController();
  const behind = await expectRefusal("database_damaged", followBackup(location, backups, { signal }));
  expect(behind.message).toMatch(/ends at change 1, .* goes to 3\. .*cortex repair --from .*cortex restore/);
  const snapshots = listSnapshots(backups);
  const copied = await expectRefusal("database_damaged", createSnapshot(location, backups));
  expect(copied.message).toBe(behind.message);
  expect(listSnapshots(backups)).toEqual(snapshots);
  {
    await using registry = await openRegistry(location);
    for (const modelId of ["x", "y", "z"]) await registry.models.create(localModel(modelId));
  }
  const other = await expectRefusal("database_damaged", followBackup(location, backups, { signal }));
  expect(other.message).toContain("different ways");
});

test("a file that takes the registry's place is followed from there, where it holds what the log holds", async ({
  folder,
}) => {
  const [location, backups] = [join(folder, "registry.db"), join(folder, "backups")];
  {
    await using registry = await openRegistry(location);
    await registry.models.create(localModel("a"));
  }
  await following(location, backups, async (reached) => {
    while (!existsSync(`${location}.backup.json`)) await sleep(5);
    const { path } = await createSnapshot(location, join(folder, "elsewhere"));
    mkdirSync(join(folder, "aside"));
    for (const end of ["", "-wal", "-shm"]) {
      if (existsSync(location + end)) renameSync(location + end, join(folder, "aside", `registry.db${end}`));
    }
    await sleep(300);
    copyFileSync(path, `${location}.new`);
    renameSync(`${location}.new`, location);
    await using registry = await openRegistry(location);
    await registry.models.create(localModel("b"));
    await reached(2);
  });
  expect((await loggedEvents(backups)).map(({ modelId }) => modelId)).toEqual(["b"]);
});
