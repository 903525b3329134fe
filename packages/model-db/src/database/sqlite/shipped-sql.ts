import type { CompiledSql } from "../query.ts";

export const SHIPPED_SQL: Readonly<Record<string, CompiledSql>> = {};
