import { openRegistry } from "@cortex/model-db";

import { atLeast, atMost, type Case } from "../case.ts";
import { openRaw, STABLE_COLUMNS } from "../contenders/raw.ts";
import { decoded, type Row } from "../contenders/row.ts";
import { BOOT, TICK } from "../contenders/running.ts";
import { measure, type Measurement } from "../harness.ts";

const LIMIT = 20;
const OURS = "registry.list with search";
const INDEX = "raw, the same statement over the search index, undecoded";
const TEXT = "raw, LIKE over the searched text, undecoded";
const LIKE = "raw, LIKE over each column, undecoded";
// As much as ours does: one row more tells whether there is a next page, and each becomes a record.
const EQUAL = "raw, LIKE over each column, one row more, decoded";
// In a fifth of the models, in five of them, and in none.
const TERMS = { common: "mistral", rare: "qwen-2-", "no match": "wizardlm-13b" };

/** A search for a substring: one that is common, one that is rare, and one that is nowhere. */
export const search: Case = {
  name: "search",
  async run({ fixture, effort }) {
    const registry = await openRegistry(fixture.path, { mode: "read" });
    const connection = openRaw(fixture.path, { readonly: true });
    const text = connection.prepare(
      `SELECT ${STABLE_COLUMNS} FROM model
       WHERE (SELECT found.text FROM model_search_text AS found WHERE found.seq = model.seq) LIKE +? ORDER BY seq DESC LIMIT ${LIMIT}`,
    );
    const index = connection.prepare(
      `SELECT ${STABLE_COLUMNS} FROM model_search CROSS JOIN model WHERE model.seq = model_search.rowid
       AND model_search MATCH +? ORDER BY model_search.rowid DESC LIMIT ${LIMIT}`,
    );
    const like = (limit: number) =>
      connection.prepare<unknown[], Row>(
        `SELECT ${STABLE_COLUMNS} FROM model WHERE model_id LIKE +? OR alias LIKE +? OR author_repo LIKE +? OR notes LIKE +?
         OR aliases LIKE +? OR tags LIKE +? ORDER BY seq DESC LIMIT ${limit}`,
      );
    const [undecoded, equal] = [like(LIMIT), like(LIMIT + 1)];
    const measured = new Map<string, Measurement>();
    for (const [kind, term] of Object.entries(TERMS)) {
      const pattern = `%${term}%`;
      const patterns = Array.from({ length: 6 }, () => pattern);
      const measurement = await measure(
        [
          { name: OURS, isAsync: true, run: () => registry.models.list({ search: term, limit: LIMIT }) },
          { name: INDEX, run: () => index.all(BOOT, TICK, `"${term}"`) },
          { name: TEXT, run: () => text.all(BOOT, TICK, pattern) },
          { name: LIKE, run: () => undecoded.all(BOOT, TICK, ...patterns) },
          {
            name: EQUAL,
            run: () =>
              equal
                .all(BOOT, TICK, ...patterns)
                .slice(0, LIMIT)
                .map(decoded),
          },
        ],
        effort.reads,
      );
      measured.set(kind, measurement);
    }
    await registry.close();
    connection.close();
    const ratio = (kind: string, name: string, other: string): number =>
      measured.get(kind)!.ratio(name, other);
    return {
      tables: [...measured].map(([kind, measurement]) => ({
        title: `search, ${kind}`,
        reference: LIKE,
        measurement,
      })),
      goals: [
        ...(fixture.size >= 100_000
          ? [atLeast("search without a match: faster than LIKE", ratio("no match", LIKE, OURS), 1000)]
          : []),
        ...(fixture.size >= 10_000
          ? [atMost("search, common: against a LIKE walk of equal work", ratio("common", OURS, EQUAL), 1.3)]
          : []),
      ],
    };
  },
};
