import { openRegistry, type Model, type Page } from "@cortex/model-db";

import { atLeast, atMost, type Case } from "../case.ts";
import { openRaw, STABLE_COLUMNS } from "../contenders/raw.ts";
import { BOOT, TICK } from "../contenders/running.ts";
import { measure } from "../harness.ts";

const LIMIT = 50;
const FIRST = "first page, by its cursor";
const DEEP = "page at 90 %, by its cursor";
const OFFSET = "the same page by OFFSET, raw";

/** The page at 900,000 of 1,000,000 against the first ones. */
export const deepPage: Case = {
  name: "deep-page",
  sizes: (size) => size >= 10_000,
  async run({ fixture, effort }) {
    const registry = await openRegistry(fixture.path, { mode: "read" });
    const connection = openRaw(fixture.path, { readonly: true });
    const depth = fixture.size * 0.9;
    const second = await registry.models.list({ limit: LIMIT });
    const deep = await cursorAt(depth, (cursor) => registry.models.list({ limit: 1000, cursor }));
    const offset = connection.prepare(
      `SELECT ${STABLE_COLUMNS} FROM model ORDER BY seq DESC LIMIT ${LIMIT} OFFSET ${depth}`,
    );
    const measurement = await measure(
      [
        {
          name: FIRST,
          isAsync: true,
          run: () => registry.models.list({ limit: LIMIT, cursor: second.nextCursor! }),
        },
        { name: DEEP, isAsync: true, run: () => registry.models.list({ limit: LIMIT, cursor: deep }) },
        { name: OFFSET, run: () => offset.all(BOOT, TICK) },
      ],
      effort.reads,
    );
    await registry.close();
    connection.close();
    return {
      tables: [
        {
          title: `page at ${depth.toLocaleString("en")} of ${fixture.size.toLocaleString("en")}`,
          reference: FIRST,
          measurement,
        },
      ],
      goals: [
        atMost("deep page: against the first", measurement.ratio(DEEP, FIRST), 1.1),
        ...(fixture.size >= 1_000_000
          ? [atLeast("deep page: faster than OFFSET", measurement.ratio(OFFSET, DEEP), 1000)]
          : []),
      ],
    };
  },
};

async function cursorAt(
  depth: number,
  next: (cursor: string | null) => Promise<Page<Model>>,
): Promise<string> {
  let cursor: string | null = null;
  for (let passed = 0; passed < depth; passed += 1000) cursor = (await next(cursor)).nextCursor;
  return cursor!;
}
