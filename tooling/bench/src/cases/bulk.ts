import { rmSync } from "node:fs";
import { join } from "node:path";

import { openRegistry } from "@cortex/model-db";

import { atMost, type Case } from "../case.ts";
import * as drizzle from "../contenders/drizzle-writer.ts";
import { openDrizzle } from "../contenders/drizzle.ts";
import * as kysely from "../contenders/kysely-writer.ts";
import { openKysely } from "../contenders/kysely.ts";
import { BARE, EQUAL_WORK, RawWriter, type Extras } from "../contenders/raw-writer.ts";
import { openRaw } from "../contenders/raw.ts";
import { models } from "../dataset.ts";
import { measure, type Contender } from "../harness.ts";

const OURS = "registry.createMany";
const LOOP = "raw loop, the same rows";
const BATCHED = "raw loop, search text added at the end";

/** Many models in one transaction, into an empty registry; microseconds are for one model. */
export const bulk: Case = {
  name: "bulk",
  // It fills an empty registry: with how many does not change what it says.
  sizes: (size) => size >= 1000 && size <= 100_000,
  async run({ fixture, effort }) {
    const rows = Math.min(fixture.size, effort.quick ? 1000 : 5000);
    const path = join(fixture.folder, "bulk.db");
    const intoEmpty = (name: string, fill: () => Promise<number>): Contender => ({
      name,
      isAsync: true,
      async run() {
        for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
        await (await openRegistry(path)).close();
        return fill();
      },
    });
    const raw = (extras: Extras) => async (): Promise<number> => {
      const connection = openRaw(path);
      const micros = await cpuMicros(() => new RawWriter(connection, extras).insertMany(models(0, rows)));
      connection.close();
      return micros;
    };
    const lanes = [
      intoEmpty(OURS, async () => {
        const registry = await openRegistry(path, { actor: "bench" });
        const micros = await cpuMicros(() => registry.models.createMany(models(0, rows)));
        await registry.close();
        return micros;
      }),
      intoEmpty(LOOP, raw(EQUAL_WORK)),
      intoEmpty(BATCHED, raw({ ...EQUAL_WORK, search: "at the end" })),
      intoEmpty("raw loop, without search", raw({ ...EQUAL_WORK, search: false })),
      intoEmpty("raw loop, without search and history", raw({ ...BARE, checksums: true })),
      intoEmpty("raw loop, without search, history and checksums", raw(BARE)),
      intoEmpty("Kysely, the same rows", async () => {
        const query = openKysely(path);
        const micros = await cpuMicros(() => kysely.createMany(query, models(0, rows)));
        await query.destroy();
        return micros;
      }),
      intoEmpty("Drizzle, the same rows", async () => {
        const orm = openDrizzle(path);
        const micros = await cpuMicros(async () => drizzle.createMany(orm, models(0, rows)));
        orm.$client.close();
        return micros;
      }),
    ];
    const measurement = await measure(lanes, { clock: "own", rounds: effort.quick ? 3 : 7, batchMs: 0 });
    return {
      tables: [
        { title: `bulk create of ${rows.toLocaleString("en")}, all of it`, reference: LOOP, measurement },
      ],
      facts: [
        { title: "one model: registry.createMany", value: measurement.micros(OURS) / rows, unit: "us" },
        { title: "one model: raw loop, the same rows", value: measurement.micros(LOOP) / rows, unit: "us" },
      ],
      goals: [atMost("bulk create: against a raw loop of equal work", measurement.ratio(OURS, LOOP), 1.15)],
    };
  },
};

async function cpuMicros(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}
