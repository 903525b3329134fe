import type { AliasedExpression, Expression, RawBuilder, SqlBool } from "kysely";

import type { QueryContext } from "../database/query.ts";
import { MODEL_FIELDS } from "../domain/fields.ts";
import type { ModelRow } from "../schema/model.ts";

type Context = Pick<QueryContext<{ boot: string; tick: number }>, "sql" | "p">;

/** Whether a model has a lease that holds now. The literal lets the partial index answer. */
export function running({ sql, p }: Context): Expression<SqlBool> {
  return sql<SqlBool>`(model.status = 1 and exists (select 1 from model_run where model_run.model_id = model.model_id and model_run.boot_id = ${p("boot")} and ${p("tick")} between model_run.renewed_tick_ms and model_run.expires_tick_ms))`;
}

/** The status that is true now. */
export function shownStatus(context: Context): RawBuilder<number> {
  return context.sql<number>`case when ${running(context)} then 1 else 0 end`;
}

/** The columns of a model as a read shows them: with the status that is true now. */
export function modelColumns(
  context: unknown,
): readonly AliasedExpression<ModelRow[keyof ModelRow], keyof ModelRow>[] {
  const { sql, p } = context as Context;
  return (["seq", ...MODEL_FIELDS.map(({ name }) => name)] as (keyof ModelRow)[]).map((name) =>
    name === "status" ? shownStatus({ sql, p }).as("status") : sql.ref<string>(`model.${name}`).as(name),
  ) as never;
}
