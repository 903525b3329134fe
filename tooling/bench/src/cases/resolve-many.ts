import { openRegistry } from "@cortex/model-db";
import { inArray } from "drizzle-orm";

import { atMost, type Case } from "../case.ts";
import * as drizzle from "../contenders/drizzle.ts";
import * as kysely from "../contenders/kysely.ts";
import { openRaw, STABLE_COLUMNS } from "../contenders/raw.ts";
import { BOOT, TICK } from "../contenders/running.ts";
import { modelAt, sampleIndexes } from "../dataset.ts";
import { measure, type Contender } from "../harness.ts";

const IDS = 50;
const OURS = "registry.resolveMany, typed and decoded";
const STATEMENT = "the statement alone, undecoded";
const ONE_EACH = "raw .get for each, undecoded";
const RESOLVE_EACH = "registry.resolve for each";

/** Fifty models by their ids in one call. */
export const resolveMany: Case = {
  name: "resolve-many",
  sizes: (size) => size >= IDS,
  async run({ fixture, effort }) {
    const registry = await openRegistry(fixture.path, { mode: "read" });
    const connection = openRaw(fixture.path, { readonly: true });
    const query = kysely.openKysely(fixture.path, { readonly: true });
    const orm = drizzle.openDrizzle(fixture.path, { readonly: true });
    const sample = [...new Set(sampleIndexes(fixture.size, 4096))].map((index) => modelAt(index).modelId);
    const batches = Array.from({ length: Math.max(1, Math.floor(sample.length / IDS)) }, (_, batch) =>
      sample.slice(batch * IDS, (batch + 1) * IDS),
    );
    const idsAt = (index: number): string[] => batches[index % batches.length]!;
    const many = connection.prepare(
      `SELECT ${STABLE_COLUMNS}, wanted.value AS requested FROM json_each(+?) AS wanted
       JOIN model_name ON model_name.name = wanted.value JOIN model ON model.seq = model_name.model_seq`,
    );
    const one = connection.prepare(`SELECT ${STABLE_COLUMNS} FROM model WHERE model_id = +?`);
    const contenders: Contender[] = [
      { name: OURS, isAsync: true, run: (index) => registry.models.resolveMany(idsAt(index)) },
      { name: STATEMENT, run: (index) => many.all(BOOT, TICK, JSON.stringify(idsAt(index))) },
      { name: ONE_EACH, run: (index) => idsAt(index).map((id) => one.get(BOOT, TICK, id)) },
      {
        name: RESOLVE_EACH,
        isAsync: true,
        async run(index) {
          const found = [];
          for (const id of idsAt(index)) found.push(await registry.models.resolve(id));
          return found;
        },
      },
      {
        name: "Kysely, stock dialect, in (...)",
        isAsync: true,
        run: (index) =>
          query
            .selectFrom("model")
            .select(kysely.selection())
            .where("model_id", "in", idsAt(index))
            .execute(),
      },
      {
        name: "Drizzle, built each call, inArray",
        run: (index) =>
          orm
            .select(drizzle.selection)
            .from(drizzle.model)
            .where(inArray(drizzle.model.model_id, idsAt(index)))
            .all(),
      },
    ];
    // None is measured while it reads the file for the first time.
    for (const { run } of contenders) for (const index of batches.keys()) await run(index);
    const measurement = await measure(contenders, effort.reads);
    await registry.close();
    connection.close();
    await query.destroy();
    orm.$client.close();
    return {
      tables: [{ title: "50 ids in one call", reference: ONE_EACH, measurement }],
      goals: [
        atMost("50 ids in one call: against one resolve each", measurement.ratio(OURS, RESOLVE_EACH), 0.55),
        atMost(
          "50 ids in one call, undecoded: against one raw get each",
          measurement.ratio(STATEMENT, ONE_EACH),
          0.55,
        ),
      ],
    };
  },
};
