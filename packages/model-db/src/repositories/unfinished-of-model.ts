import { query, type Query } from "../database/query.ts";
import type { TransferTable } from "../schema/transfer.ts";

/** The transfer that makes a model and has not ended: there is one at most. */
export const unfinishedOfModel: Query<{ model_id: string }, TransferTable> = query(
  "transfer unfinished",
  ({ db, p }) =>
    db
      .selectFrom("transfer")
      .selectAll()
      .where("model_id", "=", p("model_id"))
      .where("finished_at", "is", null),
);
