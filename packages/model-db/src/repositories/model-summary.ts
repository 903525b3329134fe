import type { Position } from "../domain/cursor.ts";
import type { Order } from "../domain/list-options.ts";
import { SUMMARY, type SummaryRow } from "../schema/model.ts";
import { shownColumns } from "./model-columns.ts";
import { positionColumns, type Columns } from "./model-list.ts";

/** For a list: what a table shows of a model. */
export function summaryColumns(order: Order): Columns<SummaryRow & Position> {
  return {
    key: "summary ",
    select: (context) => [...positionColumns(context, order), ...shownColumns(context, SUMMARY)],
    position: (row) => row,
  };
}
