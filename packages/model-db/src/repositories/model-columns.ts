import type { AliasedExpression, Expression, RawBuilder, SqlBool } from "kysely";

import type { QueryContext } from "../database/query.ts";
import { MODEL_FIELDS } from "../domain/fields.ts";
import type { ModelRow } from "../schema/model.ts";
import { leaseHolds, type Moment } from "./lease-holds.ts";

type Context = Pick<QueryContext<Moment>, "sql" | "p">;

/** Whether a model has a lease that holds now. The literal lets the partial index answer. */
export function running(context: Context): Expression<SqlBool> {
  return context.sql<SqlBool>`(model.status = 1 and exists (select 1 from model_run where model_run.model_id = model.model_id and ${leaseHolds(context, "model_run")}))`;
}

/** The status that is true now. */
export function shownStatus(context: Context): RawBuilder<number> {
  return context.sql<number>`case when ${running(context)} then 1 else 0 end`;
}

/** The columns of a model as a read shows them: with the status that is true now. */
export function modelColumns(
  context: unknown,
): readonly AliasedExpression<ModelRow[keyof ModelRow], keyof ModelRow>[] {
  return shownColumns(context, ["seq", ...MODEL_FIELDS.map(({ name }) => name)]);
}

/** Some columns of a model as {@link modelColumns} has them. */
export function shownColumns<Name extends keyof ModelRow>(
  context: unknown,
  names: readonly Name[],
): readonly AliasedExpression<ModelRow[Name], Name>[] {
  const { sql, p } = context as Context;
  return names.map((name) =>
    name === "status" ? shownStatus({ sql, p }).as("status") : sql.ref<string>(`model.${name}`).as(name),
  ) as never;
}
