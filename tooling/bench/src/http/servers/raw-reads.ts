import { openRaw, STABLE_COLUMNS } from "../../contenders/raw.ts";
import type { Row } from "../../contenders/row.ts";
import { BOOT, TICK } from "../../contenders/running.ts";

export const PAGE = 50;
// Beyond the last model, for a first page.
export const NEWEST = Number.MAX_SAFE_INTEGER;

/** The reads of the peers: prepared statements that are never compiled again. */
export function openRawReads(path: string): {
  one: (name: string) => Row | undefined;
  page: (before: number) => Row[];
} {
  const connection = openRaw(path, { readonly: true });
  const one = connection.prepare(
    `SELECT ${STABLE_COLUMNS} FROM model_name JOIN model ON model.seq = model_name.model_seq WHERE model_name.name = +?`,
  );
  const page = connection.prepare(
    `SELECT ${STABLE_COLUMNS} FROM model WHERE model.seq < +? ORDER BY model.seq DESC LIMIT ${PAGE + 1}`,
  );
  return {
    one: (name) => one.get(BOOT, TICK, name) as Row | undefined,
    page: (before) => page.all(BOOT, TICK, before) as Row[],
  };
}

/** A page as the service shows it. */
export function toPage<Item>(rows: readonly Item[]): {
  object: string;
  data: readonly Item[];
  next_cursor: string | null;
} {
  return {
    object: "list",
    data: rows.slice(0, PAGE),
    next_cursor: rows.length > PAGE ? "next" : null,
  };
}
