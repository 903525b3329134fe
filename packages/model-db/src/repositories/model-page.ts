import type { Awaitable } from "../database/query.ts";
import { parseCursor, toCursor } from "../domain/cursor.ts";
import { parseBoolean, parseInteger } from "../domain/input.ts";
import {
  checkListOptions,
  parseOrder,
  parseSelection,
  type ListOptions,
  type Order,
  type Page,
} from "../domain/list-options.ts";
import { countQuery, isIndexBehind, listQuery, questionOf, type Columns } from "./model-list.ts";
import type { ReadScope } from "./scope.ts";
import { visibilityOf } from "./visibility.ts";

/** How many models a page can have. */
export const MAX_PAGE = 1000;

/**
 * A page of the models that match.
 *
 * @param columnsOf what is read of each, in an order.
 * @param toItem what the page holds of what was read.
 * @throws RegistryError `invalid_input` for an unknown field, a value of the wrong kind, or a cursor of another list.
 */
export async function readPage<Row, Item>(
  scope: ReadScope,
  options: ListOptions,
  columnsOf: (order: Order) => Columns<Row>,
  toItem: (row: Row) => Item,
): Promise<Page<Item>> {
  checkListOptions(options);
  const selection = parseSelection(options);
  const order = parseOrder(options.sort);
  const limit = options.limit === undefined ? 50 : parseInteger("limit", options.limit, 1, MAX_PAGE);
  const question = questionOf(selection, order);
  const after = options.cursor == null ? undefined : parseCursor(options.cursor, question);
  const wanted = { selection, behind: false, visibility: visibilityOf(scope.access) };
  const now = scope.now();
  const columns = columnsOf(order);
  // One row more than asked for tells whether there is a next page.
  const read = (): Awaitable<Row[]> => {
    const list = listQuery(columns, wanted, order, after, limit + 1, now);
    return scope.reader.all(list.query, list.values);
  };
  let rows = await read();
  if (rows.length === 0 && (wanted.behind = await isIndexBehind(scope.reader, selection)))
    rows = await read();
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  const items = (last === undefined ? rows : rows.slice(0, limit)).map(toItem);
  const nextCursor = last === undefined ? null : toCursor(columns.position(last), question);
  if (options.total === undefined || !parseBoolean("total", options.total)) return { items, nextCursor };
  const count = countQuery(wanted, now);
  const counted = await scope.reader.get(count.query, count.values);
  return { items, nextCursor, total: counted!.count };
}
