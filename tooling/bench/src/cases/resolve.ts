import { join } from "node:path";

import { openRegistry } from "@cortex/model-db";
import { sql } from "drizzle-orm";

import { atLeast, atMost, type Case, type Goal, type Setting, type Table } from "../case.ts";
import * as drizzle from "../contenders/drizzle.ts";
import * as kysely from "../contenders/kysely.ts";
import { readModelList, writeModelList } from "../contenders/model-list.ts";
import { COLUMNS, openRaw, STABLE_COLUMNS } from "../contenders/raw.ts";
import { BOOT, TICK } from "../contenders/running.ts";
import { aliasAt, modelAt, sampleIndexes } from "../dataset.ts";
import { measure, type Contender, type Measurement } from "../harness.ts";

/** What a model is found by. */
type By = "id" | "alias" | "either";

const SAMPLE = 4096;
const OURS = "registry, typed and decoded";
const LIMIT = "raw .get, same columns, undecoded";
const PLAIN = "raw .get, SELECT *, as one writes it, undecoded";
const ONE = "one statement over ids and aliases, undecoded";
const TWO = "raw, two statements: id, then alias";
const KYSELY = "Kysely, stock dialect";
const BUILT = "Drizzle, built each call";
const LIST = "model.list, read and searched";

/** One model by its id, by its alias, and by either. */
export const resolve: Case = {
  name: "resolve",
  async run(setting) {
    const tables: Table[] = [];
    const goals: Goal[] = [];
    for (const by of ["id", "alias", "either"] as const) {
      const measurement = await measureBy(by, setting);
      tables.push({ title: `resolve by ${by}`, reference: by === "either" ? TWO : LIMIT, measurement });
      goals.push(...goalsOf(by, measurement, setting.fixture.size));
    }
    return { tables, goals };
  },
};

function goalsOf(by: By, measurement: Measurement, size: number): Goal[] {
  const goals =
    by === "either"
      ? [
          atMost("id or alias: the statement, against two raw ones", measurement.ratio(ONE, TWO), 0.9),
          atLeast("id or alias: faster than Kysely with OR", measurement.ratio(KYSELY, OURS), 6),
        ]
      : [
          atMost(`by ${by}: against raw undecoded`, measurement.ratio(OURS, LIMIT), 1.25),
          atLeast(`by ${by}: faster than stock Kysely`, measurement.ratio(KYSELY, OURS), 4.5),
          atLeast(`by ${by}: faster than Drizzle`, measurement.ratio(BUILT, OURS), 9),
        ];
  if (size < 1_000_000) return goals;
  return [...goals, atLeast(`by ${by}: faster than reading model.list`, measurement.ratio(LIST, OURS), 1000)];
}

async function measureBy(by: By, { fixture, effort }: Setting): Promise<Measurement> {
  const names = sampleIndexes(fixture.size, SAMPLE).map((index, position) =>
    by === "id" || (by === "either" && position % 2 === 0) ? modelAt(index).modelId : aliasAt(index),
  );
  const nameAt = (index: number): string => names[index % SAMPLE]!;
  const registry = await openRegistry(fixture.path, { mode: "read" });
  const connection = openRaw(fixture.path, { readonly: true });
  const query = kysely.openKysely(fixture.path, { readonly: true });
  const orm = drizzle.openDrizzle(fixture.path, { readonly: true });
  const prepared = drizzle.findBy(orm, by, sql.placeholder("name")).prepare();
  const list = join(fixture.folder, "resolve.list");
  writeModelList(list, fixture.size);

  const fromId = "FROM model WHERE model_id =";
  const fromName = "FROM model_name JOIN model ON model.seq = model_name.model_seq WHERE model_name.name =";
  const byId = connection.prepare(`SELECT ${STABLE_COLUMNS} ${fromId} +?`);
  const byName = connection.prepare(`SELECT ${STABLE_COLUMNS} ${fromName} +?`);
  const naive = connection.prepare(`SELECT model.* ${by === "id" ? fromId : fromName} ?`);
  const naiveId = connection.prepare(`SELECT ${COLUMNS} ${fromId} ?`);
  const naiveName = connection.prepare(`SELECT ${COLUMNS} ${fromName} ?`);
  const raw: Contender[] =
    by === "either"
      ? [
          { name: ONE, run: (index) => byName.get(BOOT, TICK, nameAt(index)) },
          {
            name: TWO,
            run: (index) => byId.get(BOOT, TICK, nameAt(index)) ?? byName.get(BOOT, TICK, nameAt(index)),
          },
          {
            name: "the same, as one writes it",
            run: (index) =>
              naiveId.get(BOOT, TICK, nameAt(index)) ?? naiveName.get(BOOT, TICK, nameAt(index)),
          },
        ]
      : [
          { name: LIMIT, run: (index) => (by === "id" ? byId : byName).get(BOOT, TICK, nameAt(index)) },
          { name: PLAIN, run: (index) => naive.get(nameAt(index)) },
        ];
  const contenders: Contender[] = [
    {
      name: OURS,
      isAsync: true,
      run: (index) =>
        by === "id" ? registry.models.get(nameAt(index)) : registry.models.resolve(nameAt(index)),
    },
    ...raw,
    { name: KYSELY, isAsync: true, run: (index) => kysely.findBy(query, by, nameAt(index)) },
    { name: "Drizzle, prepared", run: (index) => prepared.get({ name: nameAt(index) }) },
    { name: BUILT, run: (index) => drizzle.findBy(orm, by, nameAt(index)).get() },
    {
      name: LIST,
      run(index) {
        const name = nameAt(index);
        return readModelList(list).find((line) => line.modelId === name || line.alias === name);
      },
    },
  ];
  for (const { name, run } of contenders) {
    if ((await run(0)) === undefined) throw new Error(`${name} finds nothing.`);
    // None is measured while it reads the file for the first time.
    if (name === LIST) continue;
    for (let index = 0; index < Math.min(SAMPLE, fixture.size); index++) await run(index);
  }
  const measurement = await measure(contenders, effort.reads);
  await registry.close();
  connection.close();
  await query.destroy();
  orm.$client.close();
  return measurement;
}
