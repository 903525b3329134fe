import { join } from "node:path";

import { MODEL_STATUS, openRegistry } from "@cortex/model-db";
import { and, desc, eq, not, sql } from "drizzle-orm";

import { atLeast, type Case } from "../case.ts";
import * as drizzle from "../contenders/drizzle.ts";
import * as kysely from "../contenders/kysely.ts";
import { readModelList, writeModelList } from "../contenders/model-list.ts";
import { COLUMNS, openRaw, RUNNING, STABLE_COLUMNS, STABLE_RUNNING } from "../contenders/raw.ts";
import { BOOT, TICK } from "../contenders/running.ts";
import { modelAt, sampleIndexes } from "../dataset.ts";
import { measure } from "../harness.ts";

const SAMPLE = 1024;
const LIMIT = 50;
const OURS = "registry.list, typed and decoded";
const TUNED = "raw, parameters hidden from the planner, undecoded";
const NAIVE = "raw, as one writes it, undecoded";
const KYSELY = "Kysely, stock dialect";
const PREPARED = "Drizzle, prepared";
const BUILT = "Drizzle, built each call";

/** A page by source, status and repository, newest first; and the first page of everything. */
export const page: Case = {
  name: "page",
  async run({ fixture, effort }) {
    const registry = await openRegistry(fixture.path, { mode: "read" });
    const connection = openRaw(fixture.path, { readonly: true });
    const query = kysely.openKysely(fixture.path, { readonly: true });
    const orm = drizzle.openDrizzle(fixture.path, { readonly: true });
    const list = join(fixture.folder, "page.list");
    writeModelList(list, fixture.size);
    const repositories = sampleIndexes(fixture.size, SAMPLE).map((index) => modelAt(index).authorRepo);
    const at = (index: number): string => repositories[index % SAMPLE]!;

    const tuned = connection.prepare(
      `SELECT ${STABLE_COLUMNS} FROM model WHERE source_type = +? AND NOT ${STABLE_RUNNING} AND author_repo = +?
       ORDER BY seq DESC LIMIT CAST(+? AS INTEGER)`,
    );
    const naive = connection.prepare(
      `SELECT ${COLUMNS} FROM model WHERE source_type = ? AND NOT ${RUNNING} AND author_repo = ? ORDER BY seq DESC LIMIT ?`,
    );
    const built = (repository: string | ReturnType<typeof sql.placeholder>) =>
      orm
        .select(drizzle.selection)
        .from(drizzle.model)
        .where(
          and(
            eq(drizzle.model.source_type, "huggingface"),
            not(drizzle.isRunning),
            eq(drizzle.model.author_repo, repository),
          ),
        )
        .orderBy(desc(drizzle.model.seq))
        .limit(LIMIT);
    const prepared = built(sql.placeholder("repository")).prepare();
    const filtered = await measure(
      [
        {
          name: OURS,
          isAsync: true,
          run: (index) =>
            registry.models.list({
              filter: { source_type: "huggingface", status: MODEL_STATUS.READY, author_repo: at(index) },
              limit: LIMIT,
            }),
        },
        { name: TUNED, run: (index) => tuned.all(BOOT, TICK, "huggingface", BOOT, TICK, at(index), LIMIT) },
        { name: NAIVE, run: (index) => naive.all(BOOT, TICK, "huggingface", BOOT, TICK, at(index), LIMIT) },
        {
          name: KYSELY,
          isAsync: true,
          run: (index) =>
            query
              .selectFrom("model")
              .select(kysely.selection())
              .where("source_type", "=", "huggingface")
              .where((eb) => eb.not(kysely.isRunning()))
              .where("author_repo", "=", at(index))
              .orderBy("seq", "desc")
              .limit(LIMIT)
              .execute(),
        },
        { name: PREPARED, run: (index) => prepared.all({ repository: at(index) }) },
        { name: BUILT, run: (index) => built(at(index)).all() },
        {
          name: "model.list, read and filtered",
          run: (index) =>
            readModelList(list).filter(
              ({ authorRepo, status }) => authorRepo === at(index) && status === "READY",
            ),
        },
      ],
      effort.reads,
    );

    const first = connection.prepare(
      `SELECT ${STABLE_COLUMNS} FROM model ORDER BY seq DESC LIMIT CAST(+? AS INTEGER)`,
    );
    const everything = await measure(
      [
        { name: OURS, isAsync: true, run: () => registry.models.list({ limit: LIMIT }) },
        { name: TUNED, run: () => first.all(BOOT, TICK, LIMIT) },
        {
          name: KYSELY,
          isAsync: true,
          run: () =>
            query
              .selectFrom("model")
              .select(kysely.selection())
              .orderBy("seq", "desc")
              .limit(LIMIT)
              .execute(),
        },
        {
          name: BUILT,
          run: () =>
            orm
              .select(drizzle.selection)
              .from(drizzle.model)
              .orderBy(desc(drizzle.model.seq))
              .limit(LIMIT)
              .all(),
        },
      ],
      effort.reads,
    );
    await registry.close();
    connection.close();
    await query.destroy();
    orm.$client.close();
    return {
      tables: [
        {
          title: "page by source, status and repository, newest first",
          reference: TUNED,
          measurement: filtered,
        },
        { title: "page of 50, newest first, no filter", reference: TUNED, measurement: everything },
      ],
      goals: [
        atLeast("filtered page: faster than stock Kysely", filtered.ratio(KYSELY, OURS), 5),
        atLeast("filtered page: faster than prepared Drizzle", filtered.ratio(PREPARED, OURS), 2),
      ],
    };
  },
};
