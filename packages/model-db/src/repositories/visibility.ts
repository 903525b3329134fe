import type { Expression, SqlBool } from "kysely";

import type { ParameterValue, QueryContext } from "../database/query.ts";
import type { Access, Grant } from "../domain/access.ts";

type Context = Pick<QueryContext<Record<string, ParameterValue>>, "sql" | "p" | "dialect">;

/** What an access rule adds to a query: a part of its key, its parameters, and its conditions. */
export interface Visibility {
  /** All that decides the text of the conditions. */
  readonly key: string;
  readonly values: Readonly<Record<string, ParameterValue>>;
  /** Whether the row of `model` is seen. */
  readonly ofModel: (context: unknown) => Expression<SqlBool>;
  /** Whether the row of `model_event` is seen: by what its model is now or, where it was deleted since, was then. */
  readonly ofEvent: (context: unknown) => Expression<SqlBool>;
  /** Whether the row of `transfer` is seen, joined with that of the `model` that it makes, where there is one. */
  readonly ofTransfer: (context: unknown) => Expression<SqlBool>;
}

const known = new WeakMap<Access, Visibility>();

/** What is seen, in SQL: the rule of {@link Access}, for lists; `undefined` where that is everything. */
export function visibilityOf(access: Access | undefined): Visibility | undefined {
  if (access === undefined || access.seesAll) return undefined;
  let visibility = known.get(access);
  if (visibility === undefined) {
    visibility = createVisibility(access);
    known.set(access, visibility);
  }
  return visibility;
}

function createVisibility({ user, grants }: Access): Visibility {
  const values: Record<string, ParameterValue> = { seen_user: user };
  const shapes = grants.map((grant, index) => {
    const named = NARROWINGS.filter((name) => grant[name] !== null);
    for (const name of named) values[`seen_${index}_${name}`] = grant[name];
    return [grant.role === "admin" ? "admin" : "", ...named].join(" ");
  });
  return {
    key: ` seen (${shapes.join("|")})`,
    values,
    ofModel: (context) => isSeen(context as Context, grants, modelIn(context as Context)),
    ofEvent: (context) => eventIsSeen(context as Context, grants),
    ofTransfer: (context) => isSeen(context as Context, grants, modelOfTransfer(context as Context)),
  };
}

const NARROWINGS = ["pattern", "tag", "owner"] as const;

/** Where a query finds what decides. */
interface Subject {
  readonly modelId: Expression<string>;
  readonly owner: Expression<string | null>;
  readonly isPrivate: Expression<SqlBool>;
  readonly hasTag: (tag: Expression<unknown>) => Expression<SqlBool>;
}

function isSeen(context: Context, grants: readonly Grant[], subject: Subject): Expression<SqlBool> {
  const { sql, p } = context;
  const covered = (wanted: (grant: Grant) => boolean): Expression<SqlBool>[] =>
    grants.flatMap((grant, index) => (wanted(grant) ? [covers(context, grant, index, subject)] : []));
  const anyOf = (conditions: readonly Expression<SqlBool>[]): Expression<SqlBool> =>
    sql<SqlBool>`(${sql.join(conditions, sql` or `)})`;
  return anyOf([
    sql<SqlBool>`${subject.owner} = ${p("seen_user")}`,
    ...covered(({ role }) => role === "admin"),
    sql<SqlBool>`(not ${subject.isPrivate} and ${anyOf(covered(() => true))})`,
  ]);
}

function covers(
  { sql, p, dialect }: Context,
  grant: Grant,
  index: number,
  { modelId, owner, hasTag }: Subject,
): Expression<SqlBool> {
  const value = (name: string): Expression<string> => p(`seen_${index}_${name}`) as Expression<never>;
  const conditions: Expression<SqlBool>[] = [];
  if (grant.pattern !== null) conditions.push(dialect.matchesPattern(modelId, value("pattern")));
  if (grant.tag !== null) conditions.push(hasTag(value("tag")));
  if (grant.owner !== null) conditions.push(sql<SqlBool>`${owner} = ${value("owner")}`);
  return conditions.length === 0 ? sql<SqlBool>`true` : sql<SqlBool>`(${sql.join(conditions, sql` and `)})`;
}

function modelIn({ sql }: Context): Subject {
  return {
    modelId: sql.ref("model.model_id"),
    owner: sql.ref("model.owner"),
    isPrivate: sql`model.private = 1`,
    hasTag: (tag) =>
      sql`exists (select 1 from model_tag as granted where granted.model_seq = model.seq and granted.tag = ${tag})`,
  };
}

// As {@link toGuarded} says of a transfer at hand.
function modelOfTransfer(context: Context): Subject {
  const { sql } = context;
  return {
    ...modelIn(context),
    modelId: sql.ref("transfer.model_id"),
    owner: sql`case when model.seq is null then transfer.owner else model.owner end`,
    isPrivate: sql`case when model.seq is null then transfer.private = 1 or transfer.state = 'done' else model.private = 1 end`,
  };
}

// The record that a deletion took away: `gone` is its event.
function recordIn({ sql, dialect }: Context): Subject {
  const field = (name: string): Expression<string | null> => dialect.field(sql.ref("gone.before"), name);
  return {
    modelId: sql.ref("gone.model_id"),
    owner: field("owner"),
    isPrivate: sql`coalesce(${field("private")}, 0) = 1`,
    hasTag: (tag) =>
      sql`exists (select 1 from ${dialect.texts(field("tags") as Expression<string>)} as granted where granted.value = ${tag})`,
  };
}

// An id can have had several lives; an event belongs to the one that the next deletion ended. What happened to
// the registry as a whole is seen by those only who see everything.
function eventIsSeen(context: Context, grants: readonly Grant[]): Expression<SqlBool> {
  const { sql } = context;
  const deletion = sql`(select min(later.event_id) from model_event as later where later.model_id = model_event.model_id and later.kind = 'deleted' and later.event_id >= model_event.event_id)`;
  return sql<SqlBool>`case when ${deletion} is null
    then exists (select 1 from model where model.model_id = model_event.model_id and ${isSeen(context, grants, modelIn(context))})
    else exists (select 1 from model_event as gone where gone.event_id = ${deletion} and ${isSeen(context, grants, recordIn(context))}) end`;
}
