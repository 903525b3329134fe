import type { MachineTime } from "../database/machine-time.ts";
import { query, type Awaitable, type Query, type Session, type WriteSession } from "../database/query.ts";
import type { Right } from "../domain/access.ts";
import type { EventKind, ModelEvent } from "../domain/event.ts";
import { MODEL_FIELDS, type ModelField } from "../domain/fields.ts";
import { shown } from "../domain/input.ts";
import { MODEL_STATUS, type JsonObject, type JsonValue, type Model } from "../domain/model.ts";
import { RegistryError } from "../errors.ts";
import { toEventRow, type EventTable } from "../schema/event.ts";
import { toModel, toModelValues, type ModelRow, type ModelValues } from "../schema/model.ts";
import { heldUntil, type RunTable } from "../schema/run.ts";
import type { Change } from "./change-options.ts";
import { leaseHolds, momentOf } from "./lease-holds.ts";
import { running } from "./model-columns.ts";
import { modelNotFound } from "./model-names.ts";
import type { Behalf } from "./scope.ts";

type Named = { name: string; boot: string; tick: number };

const byName: Query<Named, ModelRow & { running: number }> = query("model to change", (context) => {
  const { db, sql, p } = context;
  return db
    .selectFrom("model_name")
    .innerJoin("model", "model.seq", "model_name.model_seq")
    .selectAll("model")
    .select(sql<number>`case when ${running(context)} then 1 else 0 end`.as("running"))
    .where("model_name.name", "=", p("name"));
});

// Set by every change, so not part of what one changed.
const IMPLIED: ReadonlySet<ModelField> = new Set(["updated_at", "row_version", "row_checksum"]);

const INDEXED: ReadonlySet<ModelField> = new Set(["author_repo", "status"]);
const PLAIN = MODEL_FIELDS.map(({ name }) => name).filter(
  (name) => name !== "model_id" && name !== "created_at" && !INDEXED.has(name) && !IMPLIED.has(name),
);

type RowUpdate = Query<ModelValues & { seq: number; old_row_version: number }, unknown>;
// An index is left alone when none of its columns is named. There are few of these so that all are shipped: a
// query that had to be compiled first would hold up every other writer.
const updateOne = new Map(PLAIN.map((name) => [name as string, updateQuery(`model update ${name}`, [name])]));
const updatePlain: RowUpdate = updateQuery("model update", PLAIN);
const updateWithRepo: RowUpdate = updateQuery("model update author_repo", [...PLAIN, "author_repo"]);
const updateStatus: RowUpdate = updateQuery("model update status", ["status", "last_used_at"]);
const updateVersion: RowUpdate = updateQuery("model update version", []);

function updateQuery(key: string, fields: readonly ModelField[]): RowUpdate {
  return query(key, ({ db, p }) =>
    db
      .updateTable("model")
      .set(Object.fromEntries([...fields, ...IMPLIED].map((name) => [name, p(name)])))
      .where("seq", "=", p("seq"))
      .where("row_version", "=", p("old_row_version")),
  );
}

function updateOf(changed: JsonObject): RowUpdate {
  if ("status" in changed) return updateStatus;
  if ("author_repo" in changed) return updateWithRepo;
  const fields = Object.keys(changed);
  const only = fields.length === 1 ? updateOne.get(fields[0]!) : undefined;
  return only ?? (PLAIN.some((name) => name in changed) ? updatePlain : updateVersion);
}

/** The id of the newest event. */
export const newestEvent: Query<object, { greatest: number | null }> = query("event newest", ({ db }) =>
  db.selectFrom("model_event").select((eb) => eb.fn.max("event_id").as("greatest")),
);

const insertEvent: Query<EventTable, unknown> = query("event insert", ({ db, p }) =>
  db.insertInto("model_event").values({
    event_id: p("event_id"),
    model_id: p("model_id"),
    kind: p("kind"),
    actor: p("actor"),
    at: p("at"),
    row_version: p("row_version"),
    before: p("before"),
    after: p("after"),
    row_checksum: p("row_checksum"),
    origin: p("origin"),
  }),
);

const heldLease: Query<{ model_id: string; token: number; boot: string; tick: number }, { token: number }> =
  query("lease holds", ({ db, sql, p }) =>
    db
      .selectFrom("model_run")
      .select("token")
      .where("token", "=", p("token"))
      .where("model_id", "=", p("model_id"))
      .where(leaseHolds({ sql, p }, "model_run")),
  );

const runsOfModel: Query<{ model_id: string }, RunTable> = query("runs of model", ({ db, p }) =>
  db.selectFrom("model_run").selectAll().where("model_id", "=", p("model_id")),
);

const deleteRuns: Query<{ model_id: string }, unknown> = query("runs delete", ({ db, p }) =>
  db.deleteFrom("model_run").where("model_id", "=", p("model_id")),
);

/** What the registry notices by itself nobody has done. */
const BY_ITSELF = { actor: "registry", origin: null } as const;

/** A stored model inside a write transaction. */
export interface StoredModel {
  readonly seq: number;
  readonly model: Model;
}

/**
 * Reads a model in order to change it, by id or alias, and checks what the caller may do to it and expects
 * of it. A lease of it that has run out is settled first: the stored status and the history catch up.
 *
 * @param right what is to be done to it.
 * @throws RegistryError `model_not_found`, `permission_denied`, `row_version_mismatch`, `lease_lost`.
 */
export async function readForChange(
  session: WriteSession,
  name: string,
  right: Right,
  change: Change,
  now: MachineTime,
): Promise<StoredModel> {
  const moment = momentOf(now);
  // Here and below, what is there at once is not waited for: after a wait for the disk each promise is felt.
  const read = session.get(byName, { name, ...moment });
  const row = read instanceof Promise ? await read : read;
  if (row === undefined) throw await modelNotFound(session, name, change.access);
  let stored: StoredModel = { seq: row.seq, model: toModel(row) };
  const { model } = stored;
  if (change.access?.sees(model) === false) throw await modelNotFound(session, name, change.access);
  change.access?.check(right, model);
  if (change.expectedRowVersion !== undefined && change.expectedRowVersion !== model.rowVersion) {
    throw versionMismatch(model, change.expectedRowVersion);
  }
  if (model.status === MODEL_STATUS.RUNNING && row.running === 0) {
    const expiresAt = await leasesHeldUntil(session, model.modelId, now);
    await session.run(deleteRuns, { model_id: model.modelId });
    const ready = { ...model, status: MODEL_STATUS.READY };
    const details = { expires_at: expiresAt };
    stored = (await writeStatus(session, stored, ready, "expired", { ...BY_ITSELF, details })).stored;
  }
  if (change.leaseToken !== undefined) {
    const held = await session.get(heldLease, {
      model_id: model.modelId,
      token: change.leaseToken,
      ...moment,
    });
    if (held === undefined) throw leaseNotOn(model, change.leaseToken);
  }
  return stored;
}

/** Counts a change of a model's files as a change of the model, with its history entry. */
export async function writeFilesChange(
  session: WriteSession,
  { seq, model }: StoredModel,
  { before, after }: { before: JsonObject[]; after: JsonObject[] },
  change: Change,
): Promise<void> {
  const difference = { before: { files: before }, after: { files: after } };
  await writeVersion(session, seq, model, "files_changed", difference, change);
}

/** Until when the leases of a model held or hold, in Unix milliseconds; 0 where it has none. */
export async function leasesHeldUntil(session: Session, modelId: string, now: MachineTime): Promise<number> {
  const runs = await session.all(runsOfModel, { model_id: modelId });
  return Math.max(0, ...runs.map((run) => heldUntil(run, now)));
}

/** Writes a changed status and its history entry, whose id it returns. */
export async function writeStatus(
  session: WriteSession,
  { seq, model: before }: StoredModel,
  changed: Model,
  kind: EventKind,
  { details, ...behalf }: Pick<Behalf, "actor" | "origin"> & { details?: JsonObject },
): Promise<{ stored: StoredModel; eventId: number }> {
  const difference = differenceOf(before, changed);
  const told = { before: difference?.before ?? null, after: { ...difference?.after, ...details } };
  const { model, eventId } = await writeVersion(session, seq, changed, kind, told, behalf);
  return { stored: { seq, model }, eventId };
}

/**
 * Writes the next version of a model and the event that tells of it. Its names, tags and search text are the
 * caller's.
 *
 * @param changed the model as it is to be; its versions and times are set here.
 * @param difference what the event says of it.
 */
export async function writeVersion(
  session: WriteSession,
  seq: number,
  changed: Model,
  kind: EventKind,
  { before, after }: Pick<ModelEvent, "before" | "after">,
  { actor, origin }: Pick<Behalf, "actor" | "origin">,
): Promise<{ model: Model; eventId: number }> {
  const at = Date.now();
  const rowVersion = changed.rowVersion + 1;
  const model = { ...changed, updatedAt: at, rowVersion };
  const values = toModelValues(model);
  model.rowChecksum = values.row_checksum;
  const place = { seq, old_row_version: changed.rowVersion };
  const update = session.run(updateOf(after ?? {}), Object.assign(values, place));
  const updated = update instanceof Promise ? await update : update;
  if (updated !== 1) throw versionMismatch(changed, changed.rowVersion);
  const { modelId } = model;
  const told = writeEvent(session, { modelId, kind, actor, at, rowVersion, before, after, origin });
  const eventId = told instanceof Promise ? await told : told;
  return { model, eventId };
}

/** Adds an entry to the history and returns its id. */
export function writeEvent(session: WriteSession, event: Omit<ModelEvent, "eventId">): Awaitable<number> {
  // Known before the insert because the checksum covers it; nobody else can take it meanwhile.
  const next = session.nextNumber(newestEvent);
  return next instanceof Promise
    ? next.then((eventId) => addEvent(session, eventId, event))
    : addEvent(session, next, event);
}

function addEvent(
  session: WriteSession,
  eventId: number,
  event: Omit<ModelEvent, "eventId">,
): Awaitable<number> {
  const added = session.run(insertEvent, toEventRow({ eventId, ...event }));
  return added instanceof Promise ? added.then(() => eventId) : eventId;
}

function versionMismatch({ modelId, rowVersion }: Model, expected: number): RegistryError {
  const at = rowVersion === expected ? "no longer at version" : `at version ${rowVersion}, not`;
  return new RegistryError(
    "row_version_mismatch",
    `${shown(modelId)} is ${at} ${expected}: it was changed meanwhile. Read it again and repeat the change.`,
  );
}

export function leaseLost(token: number): RegistryError {
  return new RegistryError(
    "lease_lost",
    `Lease ${token} no longer holds: it ran out, was released, or the model was deleted. Acquire it again before you go on.`,
  );
}

function leaseNotOn({ modelId }: Model, token: number): RegistryError {
  const name = shown(modelId);
  return new RegistryError(
    "lease_lost",
    `Lease ${token} does not hold on ${name}: it ran out, was released, or is another model's. Acquire one on ${name} before you go on.`,
  );
}

/** What differs between two states of a model, without what every change sets; `undefined` where nothing does. */
export function differenceOf(
  before: Model,
  after: Model,
): { before: JsonObject; after: JsonObject } | undefined {
  const difference = { before: {} as JsonObject, after: {} as JsonObject };
  let found = false;
  for (const { name, property } of MODEL_FIELDS) {
    const old = before[property] as JsonValue;
    const now = after[property] as JsonValue;
    if (old === now || IMPLIED.has(name)) continue;
    if (typeof old === "object" && JSON.stringify(old) === JSON.stringify(now)) continue;
    difference.before[name] = old;
    difference.after[name] = now;
    found = true;
  }
  return found ? difference : undefined;
}

/** What a change of some fields is called in the history. */
export function kindOf(changedFields: readonly string[]): EventKind {
  if (changedFields.every((name) => name === "alias" || name === "aliases")) return "aliased";
  return changedFields.every((name) => name === "tags") ? "tagged" : "updated";
}
