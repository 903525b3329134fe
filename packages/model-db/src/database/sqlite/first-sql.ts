import type { CompiledSql } from "../query.ts";

/** The columns of a summary as a read shows them. */
export const SUMMARY_COLUMNS = "\"model\".\"model_id\" as \"model_id\", \"model\".\"alias\" as \"alias\", \"model\".\"source_type\" as \"source_type\", \"model\".\"size_bytes\" as \"size_bytes\", case when (model.status = 1 and exists (select 1 from model_run where model_run.model_id = model.model_id and (model_run.boot_id = +? and +? between model_run.renewed_tick_ms and model_run.expires_tick_ms))) then 1 else 0 end as \"status\", \"model\".\"availability\" as \"availability\", \"model\".\"tags\" as \"tags\", \"model\".\"updated_at\" as \"updated_at\"";

/** The statement of `cortex list`; the others are in `shipped-sql.ts`. Written by `scripts/ship-sql.ts`. */
export const FIRST_SQL: Readonly<Record<string, CompiledSql>> = {
  "model.list summary seq desc  0,0,0": { sql: "select \"model\".\"seq\" as \"seq\", null as \"value\", " + SUMMARY_COLUMNS + " from \"model\" where 1 = 1 order by \"model\".\"seq\" desc limit cast(+? as integer)", parameters: ["boot","tick","limit"] },
};
