import { join } from "node:path";

import { openRegistry } from "@cortex/model-db";

import { atLeast, atMost, type Case } from "../case.ts";
import { BlindWriter } from "../contenders/blind-writer.ts";
import * as drizzle from "../contenders/drizzle-writer.ts";
import { openDrizzle } from "../contenders/drizzle.ts";
import * as kysely from "../contenders/kysely-writer.ts";
import { openKysely } from "../contenders/kysely.ts";
import { readModelList, rewriteModelList, writeModelList } from "../contenders/model-list.ts";
import { BARE, EQUAL_WORK, RawWriter } from "../contenders/raw-writer.ts";
import { openRaw } from "../contenders/raw.ts";
import { SyncFloor } from "../contenders/sync-floor.ts";
import { aliasAt, modelAt, sampleIndexes } from "../dataset.ts";
import { framesPerCommit } from "../frames.ts";
import { measure, type Contender } from "../harness.ts";

const OURS = "registry, update with expectedRowVersion";
const FLOOR = "its sync floor: as many pages, one fdatasync";
const RAW = "raw, with history and checksums";
const RAW_BARE = "raw, without";
const SQLITE = "SQLite alone: the same pages, nothing read or computed";
const KYSELY = "Kysely transaction, with history and checksums";

/** One durable change of one field with its conflict check, and a lease taken and given back. */
export const change: Case = {
  name: "change",
  async run({ fixture, effort }) {
    const ownPath = fixture.copy("own");
    const rawPath = fixture.copy("raw");
    const registry = await openRegistry(ownPath, { actor: "bench" });
    const connection = openRaw(rawPath);
    const raw = new RawWriter(connection, EQUAL_WORK);
    const bare = new RawWriter(connection, BARE);
    const blind = new BlindWriter(connection);
    const query = openKysely(rawPath);
    const orm = openDrizzle(rawPath);
    const floor = new SyncFloor(join(fixture.folder, "floor"));
    const list = join(fixture.folder, "change.list");
    writeModelList(list, fixture.size);

    const sample = sampleIndexes(fixture.size, 1024);
    const names = sample.map(aliasAt);
    // Models are numbered from 1 in their order.
    const keys = sample.map((index) => ({ seq: index + 1, modelId: modelAt(index).modelId }));
    const nameAt = (index: number): string => names[(index + 1024) % names.length]!;
    const known = new Map<string, { rowVersion: number; pinned: boolean }>();
    const update = async (index: number): Promise<void> => {
      const name = nameAt(index);
      const before = known.get(name) ?? (await registry.models.resolve(name));
      const { rowVersion } = before;
      known.set(
        name,
        await registry.models.update(name, { pinned: !before.pinned }, { expectedRowVersion: rowVersion }),
      );
    };
    for (const name of names) known.set(name, await registry.models.resolve(name));

    const frames = await framesPerCommit(ownPath, update);
    const bareFrames = await framesPerCommit(rawPath, (index) => bare.togglePin(nameAt(index), Date.now()));
    const floorOf = (pages: number) => (index: number) =>
      floor.commit(Math.floor((index + 1) * pages) - Math.floor(index * pages));

    const contenders: Contender[] = [
      { name: OURS, isAsync: true, run: update },
      { name: RAW, run: (index) => raw.togglePin(nameAt(index), Date.now()) },
      { name: RAW_BARE, run: (index) => bare.togglePin(nameAt(index), Date.now()) },
      {
        name: SQLITE,
        run(index) {
          const { seq, modelId } = keys[index % keys.length]!;
          blind.change(seq, modelId, Date.now());
        },
      },
      { name: FLOOR, run: floorOf(frames) },
      { name: "sync floor of the bare change", run: floorOf(bareFrames) },
      { name: KYSELY, isAsync: true, run: (index) => kysely.togglePin(query, nameAt(index), Date.now()) },
      {
        name: "Drizzle transaction, the same",
        run: (index) => drizzle.togglePin(orm, nameAt(index), Date.now()),
      },
      {
        name: "model.list, read and rewritten with fsync",
        run(index) {
          const lines = readModelList(list);
          const line = lines.find(({ alias }) => alias === nameAt(index))!;
          line.status = line.status === "READY" ? "RUNNING" : "READY";
          rewriteModelList(list, lines);
        },
      },
    ];
    const measurement = await measure(contenders, effort.writes);

    const lease = async (index: number): Promise<void> => {
      const { token } = await registry.runs.acquire(nameAt(index), { holder: "bench" });
      await registry.runs.release(token);
    };
    const leaseFrames = await framesPerCommit(ownPath, lease);
    const leases = await measure(
      [
        { name: "registry, runs.acquire and runs.release", isAsync: true, run: lease },
        {
          name: "sync floor of the two commits",
          run: (index) => [0, 1].map((half) => floorOf(leaseFrames / 2)(index * 2 + half)),
        },
      ],
      effort.writes,
    );
    await registry.close();
    connection.close();
    await query.destroy();
    orm.$client.close();
    floor.close();
    return {
      tables: [
        { title: "one durable change with its conflict check", reference: FLOOR, measurement },
        {
          title: "a lease taken and given back, two commits",
          reference: "sync floor of the two commits",
          measurement: leases,
        },
      ],
      facts: [
        { title: "pages written per change: registry", value: frames, unit: "" },
        { title: "pages written per change: without history and checksums", value: bareFrames, unit: "" },
        { title: "pages written per lease taken and given back", value: leaseFrames, unit: "" },
        {
          title: "raw, with history and checksums: against the same floor",
          value: measurement.ratio(RAW, FLOOR),
          unit: "times",
        },
        {
          title: "registry: against raw statements of equal work",
          value: measurement.ratio(OURS, RAW),
          unit: "times",
        },
        {
          title: "what history and checksums cost, raw",
          value: measurement.ratio(RAW, RAW_BARE),
          unit: "times",
        },
      ],
      goals: [
        atMost("change: against its sync floor", measurement.ratio(OURS, FLOOR), 1.5),
        atLeast("change: faster than Kysely's transaction", measurement.ratio(KYSELY, OURS), 2),
        atMost(
          "acquire and release: against their sync floor",
          leases.ratio("registry, runs.acquire and runs.release", "sync floor of the two commits"),
          1.5,
        ),
      ],
    };
  },
};
