import type { CompiledSql } from "../query.ts";

/**
 * The statements of a cold start, compiled ahead: the query builder takes longer to load than they take
 * to run. Written by `scripts/ship-sql.ts`; a test compares it with what the builder makes today.
 */
const COLUMNS =
  '"model"."seq" as "seq", "model"."model_id" as "model_id", "model"."source_type" as "source_type", "model"."author_repo" as "author_repo", "model"."branch" as "branch", "model"."config_path" as "config_path", "model"."alias" as "alias", "model"."aliases" as "aliases", case when (model.status = 1 and exists (select 1 from model_run where model_run.model_id = model.model_id and model_run.boot_id = +? and +? between model_run.renewed_tick and model_run.expires_tick)) then 1 else 0 end as "status", "model"."created_at" as "created_at", "model"."updated_at" as "updated_at", "model"."availability" as "availability", "model"."engine" as "engine", "model"."format" as "format", "model"."architecture" as "architecture", "model"."quantization" as "quantization", "model"."parameter_count" as "parameter_count", "model"."context_length" as "context_length", "model"."size_bytes" as "size_bytes", "model"."capabilities" as "capabilities", "model"."metadata" as "metadata", "model"."tags" as "tags", "model"."notes" as "notes", "model"."pinned" as "pinned", "model"."last_used_at" as "last_used_at", "model"."row_version" as "row_version", "model"."row_checksum" as "row_checksum"';

export const SHIPPED_SQL: Readonly<Record<string, CompiledSql>> = {
  "event insert": {
    sql: 'insert into "model_event" ("model_id", "kind", "actor", "at", "row_version", "before", "after", "row_checksum") values (+?, +?, +?, +?, +?, +?, +?, +?)',
    parameters: ["model_id", "kind", "actor", "at", "row_version", "before", "after", "row_checksum"],
  },
  "events desc 0": {
    sql: 'select * from "model_event" order by "event_id" desc limit cast(+? as integer)',
    parameters: ["limit"],
  },
  "events desc modelId 0": {
    sql: 'select * from "model_event" where "model_id" = +? order by "event_id" desc limit cast(+? as integer)',
    parameters: ["modelId", "limit"],
  },
  "file delete": {
    sql: 'delete from "model_file" where "model_id" = +? and "path" = +?',
    parameters: ["model_id", "path"],
  },
  "file insert": {
    sql: 'insert into "model_file" ("model_id", "path", "role", "size_bytes", "sha256", "verified_at", "source", "row_checksum") values (+?, +?, +?, +?, +?, +?, +?, +?)',
    parameters: ["model_id", "path", "role", "size_bytes", "sha256", "verified_at", "source", "row_checksum"],
  },
  "files by model": {
    sql: 'select * from "model_file" where "model_id" = +? order by "path"',
    parameters: ["model_id"],
  },
  "lease holds": {
    sql: 'select "token" from "model_run" where "token" = +? and "model_id" = +? and "boot_id" = +? and +? between renewed_tick and expires_tick',
    parameters: ["token", "model_id", "boot", "tick"],
  },
  "model by id": { sql: 'select * from "model" where "model_id" = +?', parameters: ["model_id"] },
  "model by name": {
    sql: 'select "model".* from "model_name" inner join "model" on "model"."seq" = "model_name"."model_seq" where "model_name"."name" = +?',
    parameters: ["name"],
  },
  "model by seq": {
    sql: "select " + COLUMNS + ' from "model" where "model"."seq" = +?',
    parameters: ["boot", "tick", "seq"],
  },
  "model delete": { sql: 'delete from "model" where "seq" = +?', parameters: ["seq"] },
  "model insert": {
    sql: 'insert into "model" ("model_id", "source_type", "author_repo", "branch", "config_path", "alias", "aliases", "status", "created_at", "updated_at", "availability", "engine", "format", "architecture", "quantization", "parameter_count", "context_length", "size_bytes", "capabilities", "metadata", "tags", "notes", "pinned", "last_used_at", "row_version", "row_checksum") values (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?) on conflict do nothing',
    parameters: [
      "model_id",
      "source_type",
      "author_repo",
      "branch",
      "config_path",
      "alias",
      "aliases",
      "status",
      "created_at",
      "updated_at",
      "availability",
      "engine",
      "format",
      "architecture",
      "quantization",
      "parameter_count",
      "context_length",
      "size_bytes",
      "capabilities",
      "metadata",
      "tags",
      "notes",
      "pinned",
      "last_used_at",
      "row_version",
      "row_checksum",
    ],
  },
  "model to change": {
    sql: 'select "model".*, case when (model.status = 1 and exists (select 1 from model_run where model_run.model_id = model.model_id and model_run.boot_id = +? and +? between model_run.renewed_tick and model_run.expires_tick)) then 1 else 0 end as "running" from "model_name" inner join "model" on "model"."seq" = "model_name"."model_seq" where "model_name"."name" = +?',
    parameters: ["boot", "tick", "name"],
  },
  "model update": {
    sql: 'update "model" set "source_type" = +?, "branch" = +?, "config_path" = +?, "alias" = +?, "aliases" = +?, "availability" = +?, "engine" = +?, "format" = +?, "architecture" = +?, "quantization" = +?, "parameter_count" = +?, "context_length" = +?, "size_bytes" = +?, "capabilities" = +?, "metadata" = +?, "tags" = +?, "notes" = +?, "pinned" = +?, "last_used_at" = +?, "updated_at" = +?, "row_version" = +?, "row_checksum" = +? where "seq" = +?',
    parameters: [
      "source_type",
      "branch",
      "config_path",
      "alias",
      "aliases",
      "availability",
      "engine",
      "format",
      "architecture",
      "quantization",
      "parameter_count",
      "context_length",
      "size_bytes",
      "capabilities",
      "metadata",
      "tags",
      "notes",
      "pinned",
      "last_used_at",
      "updated_at",
      "row_version",
      "row_checksum",
      "seq",
    ],
  },
  "model update author_repo": {
    sql: 'update "model" set "source_type" = +?, "branch" = +?, "config_path" = +?, "alias" = +?, "aliases" = +?, "availability" = +?, "engine" = +?, "format" = +?, "architecture" = +?, "quantization" = +?, "parameter_count" = +?, "context_length" = +?, "size_bytes" = +?, "capabilities" = +?, "metadata" = +?, "tags" = +?, "notes" = +?, "pinned" = +?, "last_used_at" = +?, "author_repo" = +?, "updated_at" = +?, "row_version" = +?, "row_checksum" = +? where "seq" = +?',
    parameters: [
      "source_type",
      "branch",
      "config_path",
      "alias",
      "aliases",
      "availability",
      "engine",
      "format",
      "architecture",
      "quantization",
      "parameter_count",
      "context_length",
      "size_bytes",
      "capabilities",
      "metadata",
      "tags",
      "notes",
      "pinned",
      "last_used_at",
      "author_repo",
      "updated_at",
      "row_version",
      "row_checksum",
      "seq",
    ],
  },
  "model update status": {
    sql: 'update "model" set "status" = +?, "last_used_at" = +?, "updated_at" = +?, "row_version" = +?, "row_checksum" = +? where "seq" = +?',
    parameters: ["status", "last_used_at", "updated_at", "row_version", "row_checksum", "seq"],
  },
  "model update version": {
    sql: 'update "model" set "updated_at" = +?, "row_version" = +?, "row_checksum" = +? where "seq" = +?',
    parameters: ["updated_at", "row_version", "row_checksum", "seq"],
  },
  "model.count 0,0,0": { sql: 'select count(*) as "count" from "model" where 1 = 1', parameters: [] },
  "model.list created_at asc  0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where 1 = 1 order by "model"."created_at" asc nulls last, "model"."seq" asc limit cast(+? as integer)',
    parameters: ["boot", "tick", "limit"],
  },
  "model.list created_at desc  0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where 1 = 1 order by "model"."created_at" desc nulls last, "model"."seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "limit"],
  },
  "model.list model_id asc  0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where 1 = 1 order by "model"."model_id" asc limit cast(+? as integer)',
    parameters: ["boot", "tick", "limit"],
  },
  "model.list model_id desc  0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where 1 = 1 order by "model"."model_id" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "limit"],
  },
  "model.list seq desc  0,0,0": {
    sql:
      "select " + COLUMNS + ' from "model" where 1 = 1 order by "model"."seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "limit"],
  },
  "model.list seq desc  0,0,0,long": {
    sql:
      "select " +
      COLUMNS +
      ' from "model_search" cross join "model" where "model"."seq" = "model_search"."rowid" and model_search match +? order by "model_search"."rowid" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "terms", "limit"],
  },
  "model.list seq desc  0,0,0,long,long": {
    sql:
      "select " +
      COLUMNS +
      ' from "model_search" cross join "model" where "model"."seq" = "model_search"."rowid" and model_search match +? order by "model_search"."rowid" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "terms", "limit"],
  },
  "model.list seq desc  1,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model_tag" cross join "model" where "model"."seq" = "model_tag"."model_seq" and model_tag.tag = +? order by "model_tag"."model_seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "all_0", "limit"],
  },
  "model.list seq desc  architecture eq ?,0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where "model"."architecture" = +? order by "model"."seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "value_0_0", "limit"],
  },
  "model.list seq desc  author_repo eq ?,0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where "model"."author_repo" = +? order by "model"."seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "value_0_0", "limit"],
  },
  "model.list seq desc  availability eq ?,0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where "model"."availability" = +? order by "model"."seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "value_0_0", "limit"],
  },
  "model.list seq desc  engine eq ?,0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where "model"."engine" = +? order by "model"."seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "value_0_0", "limit"],
  },
  "model.list seq desc  format eq ?,0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where "model"."format" = +? order by "model"."seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "value_0_0", "limit"],
  },
  "model.list seq desc  quantization eq ?,0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where "model"."quantization" = +? order by "model"."seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "value_0_0", "limit"],
  },
  "model.list seq desc  source_type eq ?,0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where "model"."source_type" = +? order by "model"."seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "value_0_0", "limit"],
  },
  "model.list seq desc  status eq 0,0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where not (model.status = 1 and exists (select 1 from model_run where model_run.model_id = model.model_id and model_run.boot_id = +? and +? between model_run.renewed_tick and model_run.expires_tick)) order by "model"."seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "boot", "tick", "limit"],
  },
  "model.list seq desc  status eq 1,0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where (model.status = 1 and exists (select 1 from model_run where model_run.model_id = model.model_id and model_run.boot_id = +? and +? between model_run.renewed_tick and model_run.expires_tick)) order by "model"."seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "boot", "tick", "limit"],
  },
  "model.list size_bytes asc  0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where 1 = 1 order by "model"."size_bytes" asc nulls last, "model"."seq" asc limit cast(+? as integer)',
    parameters: ["boot", "tick", "limit"],
  },
  "model.list size_bytes desc  0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where 1 = 1 order by "model"."size_bytes" desc nulls last, "model"."seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "limit"],
  },
  "model.list updated_at asc  0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where 1 = 1 order by "model"."updated_at" asc nulls last, "model"."seq" asc limit cast(+? as integer)',
    parameters: ["boot", "tick", "limit"],
  },
  "model.list updated_at desc  0,0,0": {
    sql:
      "select " +
      COLUMNS +
      ' from "model" where 1 = 1 order by "model"."updated_at" desc nulls last, "model"."seq" desc limit cast(+? as integer)',
    parameters: ["boot", "tick", "limit"],
  },
  "models by names": {
    sql: 'select "model".*, wanted.value as "requested" from json_each(+?) as "wanted" inner join "model_name" on "model_name"."name" = "wanted"."value" inner join "model" on "model"."seq" = "model_name"."model_seq"',
    parameters: ["names"],
  },
  "name delete": {
    sql: 'delete from "model_name" where "name" = +? and "model_seq" = +?',
    parameters: ["name", "seq"],
  },
  "name insert": {
    sql: 'insert into "model_name" ("name", "model_seq") values (+?, +?) on conflict do nothing',
    parameters: ["name", "seq"],
  },
  "name owner": {
    sql: 'select "model"."model_id" from "model_name" inner join "model" on "model"."seq" = "model_name"."model_seq" where "model_name"."name" = +?',
    parameters: ["name"],
  },
  "names from": {
    sql: 'select "model_name"."name", "model"."model_id" from "model_name" inner join "model" on "model"."seq" = "model_name"."model_seq" where "model_name"."name" >= +? and "model_name"."name" < +? order by "model_name"."name" limit cast(+? as integer)',
    parameters: ["low", "high", "limit"],
  },
  "run delete": { sql: 'delete from "model_run" where "token" = +?', parameters: ["token"] },
  "run insert": {
    sql: 'insert into "model_run" ("token", "model_id", "holder", "node", "pid", "endpoint", "started_at", "ttl_ms", "boot_id", "renewed_tick", "expires_tick") values (+?, +?, +?, +?, +?, +?, +?, +?, +?, +?, +?)',
    parameters: [
      "token",
      "model_id",
      "holder",
      "node",
      "pid",
      "endpoint",
      "started_at",
      "ttl_ms",
      "boot_id",
      "renewed_tick",
      "expires_tick",
    ],
  },
  "run live by token": {
    sql: 'select * from "model_run" where "token" = +? and "boot_id" = +? and +? between renewed_tick and expires_tick',
    parameters: ["token", "boot", "tick"],
  },
  "run renew": {
    sql: 'update "model_run" set "endpoint" = +?, "ttl_ms" = +?, "renewed_tick" = +?, "expires_tick" = +? where "token" = +?',
    parameters: ["endpoint", "ttl_ms", "renewed_tick", "expires_tick", "token"],
  },
  "runs live": {
    sql: 'select * from "model_run" where "boot_id" = +? and +? between renewed_tick and expires_tick order by "token"',
    parameters: ["boot", "tick"],
  },
  "runs live of model": {
    sql: 'select * from "model_run" where "model_id" = +? and "boot_id" = +? and +? between renewed_tick and expires_tick order by "token"',
    parameters: ["model_id", "boot", "tick"],
  },
  "search delete": { sql: 'delete from "model_search" where "rowid" = +?', parameters: ["seq"] },
  "search insert": {
    sql: 'insert into "model_search" ("rowid", "text") select "seq", "text" from "model_search_text" where "seq" >= +? and "seq" <= +?',
    parameters: ["first", "last"],
  },
  "tag delete": {
    sql: 'delete from "model_tag" where "model_seq" = +? and "tag" = +?',
    parameters: ["seq", "tag"],
  },
  "tag insert": {
    sql: 'insert into "model_tag" ("model_seq", "tag") values (+?, +?)',
    parameters: ["seq", "tag"],
  },
};
