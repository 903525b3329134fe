import type { MachineTime } from "../database/machine-time.ts";
import { parseCursor, toCursor, type Position } from "../domain/cursor.ts";
import { parseBoolean, parseInteger } from "../domain/input.ts";
import {
  checkListOptions,
  parseOrder,
  parseSelection,
  type ListOptions,
  type Order,
  type Page,
} from "../domain/list-options.ts";
import { countQuery, isIndexBehind, questionOf, type Wanted } from "./model-list.ts";
import type { ReadScope } from "./scope.ts";
import { visibilityOf } from "./visibility.ts";

/** How many models a page can have. */
export const MAX_PAGE = 1000;

/** A page of models that was asked for, checked. */
export interface AskedList {
  /** What its cursors belong to. */
  readonly question: string;
  readonly wanted: Wanted;
  readonly order: Order;
  readonly after: Position | undefined;
  readonly limit: number;
  readonly now: MachineTime;
}

/** @throws RegistryError `invalid_input` for an unknown field, a value of the wrong kind, or a cursor of another list. */
export async function askList(scope: ReadScope, options: ListOptions): Promise<AskedList> {
  checkListOptions(options);
  const selection = parseSelection(options);
  const order = parseOrder(options.sort);
  const limit = options.limit === undefined ? 50 : parseInteger("limit", options.limit, 1, MAX_PAGE);
  const question = questionOf(selection, order);
  const after = options.cursor == null ? undefined : parseCursor(options.cursor, question);
  const behind = selection.terms.length > 0 && (await isIndexBehind(scope.reader, selection));
  const wanted = { selection, behind, visibility: visibilityOf(scope.access) };
  return { question, wanted, order, after, limit, now: scope.now() };
}

/** What stands in a page beside its items. @param last where its last item stands, if there are more. */
export async function aroundPage(
  scope: ReadScope,
  options: ListOptions,
  { question, wanted, now }: AskedList,
  last: Position | undefined,
): Promise<Omit<Page<never>, "items">> {
  const nextCursor = last === undefined ? null : toCursor(last, question);
  if (options.total === undefined || !parseBoolean("total", options.total)) return { nextCursor };
  const count = countQuery(wanted, now);
  const counted = await scope.reader.get(count.query, count.values);
  return { nextCursor, total: counted!.count };
}
