import { join } from "node:path";

import { openRegistry } from "@cortex/model-db";
import { eq, or, sql } from "drizzle-orm";

import { atLeast, atMost, type Case, type Setting, type Table, type Goal } from "../case.ts";
import * as drizzle from "../contenders/drizzle.ts";
import * as kysely from "../contenders/kysely.ts";
import { readModelList, writeModelList } from "../contenders/model-list.ts";
import { BOOT, COLUMNS, openRaw, STABLE_COLUMNS, TICK } from "../contenders/raw.ts";
import { aliasAt, modelAt, sampleIndexes } from "../dataset.ts";
import { measure, type Contender } from "../harness.ts";

const SAMPLE = 4096;
const OURS = "registry, typed and decoded";
const LIMIT = "raw .get, same columns, undecoded";
const PLAIN = "raw .get, SELECT *, undecoded";
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
      const table = await measureBy(by, setting);
      const { measurement } = table;
      tables.push(table);
      if (by === "either") {
        goals.push(
          atMost("id or alias: the statement, against two raw ones", measurement.ratio(ONE, TWO), 0.9),
          atLeast("id or alias: faster than Kysely with OR", measurement.ratio(KYSELY, OURS), 6),
        );
      } else {
        goals.push(
          atMost(`by ${by}: against raw undecoded`, measurement.ratio(OURS, LIMIT), 1.25),
          atLeast(`by ${by}: faster than stock Kysely`, measurement.ratio(KYSELY, OURS), 4.5),
          atLeast(`by ${by}: faster than Drizzle`, measurement.ratio(BUILT, OURS), 9),
        );
      }
      if (setting.fixture.size >= 1_000_000) {
        goals.push(atLeast(`by ${by}: faster than reading model.list`, measurement.ratio(LIST, OURS), 1000));
      }
    }
    return { tables, goals };
  },
};

const ONE = "the registry's statement alone, undecoded";
const TWO = "raw, two statements: id, then alias";
const TWO_NAIVE = "the same, as one writes it";

async function measureBy(by: "id" | "alias" | "either", { fixture, effort }: Setting): Promise<Table> {
  const names = sampleIndexes(fixture.size, SAMPLE).map((index, position) =>
    by === "id" || (by === "either" && position % 2 === 0) ? modelAt(index).modelId : aliasAt(index),
  );
  const nameAt = (index: number): string => names[index % SAMPLE]!;
  const registry = await openRegistry(fixture.path, { mode: "read" });
  const connection = openRaw(fixture.path, { readonly: true });
  const query = kysely.openKysely(fixture.path, { readonly: true });
  const orm = drizzle.openDrizzle(fixture.path, { readonly: true });
  const list = join(fixture.folder, "resolve.list");
  writeModelList(list, fixture.size);

  const byId = connection.prepare(`SELECT ${STABLE_COLUMNS} FROM model WHERE model_id = +?`);
  const byName = connection.prepare(
    `SELECT ${STABLE_COLUMNS} FROM model_name JOIN model ON model.seq = model_name.model_seq WHERE model_name.name = +?`,
  );
  const plainId = connection.prepare("SELECT * FROM model WHERE model_id = ?");
  const naiveId = connection.prepare(`SELECT ${COLUMNS} FROM model WHERE model_id = ?`);
  const plainAlias = connection.prepare(
    "SELECT model.* FROM model_name JOIN model ON model.seq = model_name.model_seq WHERE model_name.name = ?",
  );
  const naiveAlias = connection.prepare(
    `SELECT ${COLUMNS} FROM model_name JOIN model ON model.seq = model_name.model_seq WHERE model_name.name = ?`,
  );

  const ofKysely = (name: string): Promise<unknown> => {
    if (by === "id")
      return query
        .selectFrom("model")
        .select(kysely.selection())
        .where("model_id", "=", name)
        .executeTakeFirst();
    let rows = query
      .selectFrom("model")
      .innerJoin("model_name", "model.seq", "model_name.model_seq")
      .select(kysely.selection());
    if (by === "alias") rows = rows.where("model_name.name", "=", name);
    else {
      return query
        .selectFrom("model")
        .select(kysely.selection())
        .where((eb) =>
          eb.or([
            eb("model.model_id", "=", name),
            eb("model.seq", "=", eb.selectFrom("model_name").select("model_seq").where("name", "=", name)),
          ]),
        )
        .executeTakeFirst();
    }
    return rows.executeTakeFirst();
  };
  const ofDrizzle = (name: string | ReturnType<typeof sql.placeholder>) => {
    const rows = orm.select(drizzle.selection).from(drizzle.model);
    if (by === "id") return rows.where(eq(drizzle.model.model_id, name));
    if (by === "alias") {
      return rows
        .innerJoin(drizzle.modelName, eq(drizzle.modelName.model_seq, drizzle.model.seq))
        .where(eq(drizzle.modelName.name, name));
    }
    const seq = orm
      .select({ seq: drizzle.modelName.model_seq })
      .from(drizzle.modelName)
      .where(eq(drizzle.modelName.name, name));
    return rows.where(or(eq(drizzle.model.model_id, name), eq(drizzle.model.seq, seq)));
  };
  const prepared = ofDrizzle(sql.placeholder("name")).prepare();

  const contenders: Contender[] = [
    by === "id"
      ? { name: OURS, isAsync: true, run: (index) => registry.models.get(nameAt(index)) }
      : { name: OURS, isAsync: true, run: (index) => registry.models.resolve(nameAt(index)) },
    ...(by === "either"
      ? [
          {
            name: TWO,
            run: (index: number) =>
              naiveId.get(BOOT, TICK, nameAt(index)) ?? byAlias.get(BOOT, TICK, nameAt(index)),
          },
          { name: ONE, run: (index: number) => byName.get(BOOT, TICK, nameAt(index)) },
        ]
      : [
          {
            name: LIMIT,
            run: (index: number) => (by === "id" ? byId : byName).get(BOOT, TICK, nameAt(index)),
          },
          { name: PLAIN, run: (index: number) => (by === "id" ? plainId : plainAlias).get(nameAt(index)) },
        ]),
    { name: KYSELY, isAsync: true, run: (index) => ofKysely(nameAt(index)) },
    { name: "Drizzle, prepared", run: (index) => prepared.get({ name: nameAt(index) }) },
    { name: BUILT, run: (index) => ofDrizzle(nameAt(index)).get() },
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
  }
  const measurement = await measure(contenders, effort.reads);
  await registry.close();
  connection.close();
  await query.destroy();
  orm.$client.close();
  return { title: `resolve by ${by}`, reference: by === "either" ? TWO : LIMIT, measurement };
}
