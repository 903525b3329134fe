import type { ModelEvent } from "../domain/event.ts";
import type { Model, ModelFile } from "../domain/model.ts";
import { foldEvent, toPastModel, type PastState } from "../domain/past-state.ts";
import { fromRecord, toFileRecord, toRecord } from "../domain/record.ts";

/** Where something that is known came from: the registry's own file and its log, a snapshot, or the log of a backup. */
export type Origin = "file" | "snapshot" | "change_log";

/** A version of a model's row. */
export interface KnownRow {
  readonly model: Model;
  readonly seq: number;
  readonly origin: Origin;
  /** Which source: see {@link RowSource}. */
  readonly source: number;
  /** Whether it stands where a reader would have found it. */
  readonly live: boolean;
  /** Whether its checksum holds; else it has none. */
  readonly verified: boolean;
}

/** An event of a model. */
export interface KnownEvent extends ModelEvent {
  readonly foundIn: Origin;
  readonly verified: boolean;
}

/** A file of a model. */
export interface KnownFile {
  readonly file: ModelFile;
  readonly source: number;
  readonly live: boolean;
}

/** Everything that was found of one model id. */
export interface Evidence {
  readonly modelId: string;
  /** In the order of their ids. */
  readonly events: readonly KnownEvent[];
  readonly rows: readonly KnownRow[];
  readonly files: readonly KnownFile[];
}

/** A source of rows, and which of its tables were read whole: what is not in them was not there. */
export interface RowSource {
  readonly origin: Origin;
  readonly source: number;
  /** Its newest event that was found. */
  readonly eventId: number;
  readonly wholeTables: ReadonlySet<"model" | "model_event" | "model_file">;
  /** Whether a row in it is as new as any; else at least as new as the source's newest event. */
  readonly newest: boolean;
}

/** What is known of the registry as a whole. */
export interface Surroundings {
  readonly sources: readonly RowSource[];
  /** The newest event that is nowhere; 0 where none is missing, Infinity where that cannot be known. */
  readonly lastMissingEventId: number;
  /** The newest event that tells of a repair; 0 where there was none. */
  readonly lastRepairEventId: number;
}

/** What a model came to. */
export type Outcome =
  | {
      readonly state: "alive";
      readonly model: Model;
      readonly files: readonly ModelFile[];
      readonly seq: number | undefined;
      /** The event that created it; `undefined` where it is lost. */
      readonly createdBy: number | undefined;
      readonly lastEventId: number;
      readonly origin: Origin;
      /** False where a change of it may be missing, before its last known one or after. */
      readonly certain: boolean;
      readonly verified: boolean;
    }
  | {
      readonly state: "deleted";
      /** What it was where no event says that it was deleted, though it is gone. */
      readonly unsaid: { readonly model: Model; readonly files: readonly ModelFile[] } | undefined;
    }
  /** It was there, and no state of it is known. */
  | { readonly state: "lost"; readonly lastEventId: number };

/**
 * The newest state of a model that follows from what was found of it. The last event that created or
 * deleted it says whether it lives; its newest row, and the changes after that, say what it is. Where a
 * change in between is missing, the ones after it still count: they were acknowledged.
 */
export function newestState(evidence: Evidence, surroundings: Surroundings): Outcome {
  const { sources, lastMissingEventId } = surroundings;
  const life = currentLife(evidence);
  if (life === undefined) return { state: "deleted", unsaid: undefined };
  const { events, created } = life;
  const lastEventId = events.at(-1)?.eventId ?? 0;
  const base = baseOf(life);
  if (base === undefined) {
    return isGone(evidence, lastEventId, surroundings)
      ? { state: "deleted", unsaid: undefined }
      : { state: "lost", lastEventId };
  }
  const changes = events.filter((event) => event.rowVersion > base.model.rowVersion);
  const { model } = fold({ record: toRecord(base.model), files: new Map() }, changes);
  const follows = follow(base.model.rowVersion, changes);
  const files = filesOf(evidence, life, sources);
  if (isGone(evidence, lastEventId, surroundings)) {
    return { state: "deleted", unsaid: { model, files: files.files } };
  }
  return {
    state: "alive",
    model,
    files: files.files,
    seq: base.seq,
    createdBy: created?.eventId,
    lastEventId,
    origin: changes.at(-1)?.foundIn ?? base.origin,
    certain: follows && files.complete && lastMissingEventId <= Math.max(lastEventId, seenAt(base, sources)),
    verified: base.verified && changes.every((event) => event.verified),
  };
}

/** What belongs to a model since it was created last; an id can have had several lives. */
interface Life {
  readonly events: readonly KnownEvent[];
  readonly created: KnownEvent | undefined;
  readonly rows: readonly KnownRow[];
}

function currentLife({ events, rows }: Evidence): Life | undefined {
  const deletedAt = events.findLastIndex(({ kind }) => kind === "deleted");
  const deleted = events[deletedAt];
  const since = events.slice(deletedAt + 1);
  const createdAt = since.findLastIndex(({ kind }) => kind === "created");
  const created = since[createdAt];
  const own = created === undefined ? since : since.slice(createdAt);
  const fitting = rows.filter((row) => belongs(row, own, created, deleted));
  if (deleted !== undefined && own.length === 0) {
    // Only a row that was made later tells of another life.
    const reborn = fitting.filter(
      ({ model }) => model.createdAt >= deleted.at && model.updatedAt > deleted.at,
    );
    return reborn.length === 0 ? undefined : { events: [], created: undefined, rows: reborn };
  }
  return { events: own, created, rows: fitting };
}

function belongs(
  { model }: KnownRow,
  events: readonly KnownEvent[],
  created: KnownEvent | undefined,
  deleted: KnownEvent | undefined,
): boolean {
  if (created !== undefined && model.createdAt !== created.after?.["created_at"]) return false;
  // After a repair a version may have been given twice.
  const telling = events.filter(({ rowVersion, verified }) => rowVersion === model.rowVersion && verified);
  if (telling.length > 0) return telling.some((event) => madeOf(event, model));
  // An event without a checksum is a foreign program's, whose clock need not be the row's.
  const since = created !== undefined && model.rowVersion > 1 ? created.at : deleted?.at;
  return since === undefined || model.updatedAt >= since;
}

/** Whether a row is what an event has left. */
function madeOf(event: ModelEvent, model: Model): boolean {
  if (event.kind !== "created") return event.at === model.updatedAt;
  // Of a row that a foreign program wrote there was none yet.
  const checksum = event.after?.["row_checksum"] ?? "";
  return checksum === "" || checksum === model.rowChecksum;
}

type Base = Omit<KnownRow, "seq"> & { readonly seq?: number };

/** The newest state that is known as a whole. */
function baseOf({ rows, created }: Life): Base | undefined {
  const [newest] = rows.toSorted(
    (a, b) =>
      b.model.rowVersion - a.model.rowVersion ||
      Number(b.verified) - Number(a.verified) ||
      Number(b.live) - Number(a.live) ||
      b.model.updatedAt - a.model.updatedAt,
  );
  if (newest !== undefined) return newest;
  const { files: _, ...record } = created?.after ?? {};
  if (
    created === undefined ||
    record["model_id"] !== created.modelId ||
    record["source_type"] === undefined
  ) {
    return undefined;
  }
  return {
    model: fromRecord(record),
    origin: created.foundIn,
    source: -1,
    live: false,
    verified: created.verified,
  };
}

/** Up to which event nothing can have happened to a model because its row stood there as it is. */
function seenAt({ source: number, live }: Base, sources: readonly RowSource[]): number {
  const source = live ? sources.find((read) => read.source === number) : undefined;
  return source?.newest === true ? Infinity : (source?.eventId ?? 0);
}

function fold(state: PastState, events: readonly ModelEvent[]): { model: Model; files: ModelFile[] } {
  return toPastModel(events.reduce<PastState>((before, event) => foldEvent(before, event) ?? before, state));
}

/** Whether changes follow each other from a version on without a gap. */
function follow(version: number, changes: readonly ModelEvent[]): boolean {
  return changes.every((event, index) => event.rowVersion === version + index + 1);
}

/**
 * Whether the file's models were all read, as they were after the model's last event, and it is not among
 * them: then the event of its deletion is what is missing. Where none is, a page of them is not what was
 * written last. What an earlier repair did not bring back was not deleted by that.
 */
function isGone(
  { rows }: Evidence,
  lastEventId: number,
  { sources, lastMissingEventId, lastRepairEventId }: Surroundings,
): boolean {
  // Where all that happened since is known, its page is what is lost, however sound it looks.
  if (lastEventId <= lastRepairEventId || lastMissingEventId <= lastEventId) return false;
  const file = sources.find(({ origin, wholeTables }) => origin === "file" && wholeTables.has("model"));
  if (file === undefined || file.eventId < lastEventId) return false;
  return !rows.some(({ origin, live }) => origin === "file" && live);
}

/**
 * The files of a model: those that it had when all were known, and what the events after that changed. A
 * history without a gap counts before what stands in the file, where a write may have been lost; where
 * some of it is missing, what stands there counts before the events that it has seen.
 */
function filesOf(
  { files }: Evidence,
  { events, created, rows }: Life,
  sources: readonly RowSource[],
): { files: readonly ModelFile[]; complete: boolean } {
  const bases: { version: number; files: readonly ModelFile[] }[] = [];
  if (created !== undefined) bases.push({ version: 1, files: fold(NOTHING, [created]).files });
  for (const { source, wholeTables } of sources) {
    const row = rows.find((known) => known.source === source && known.live);
    if (row === undefined || !wholeTables.has("model_file")) continue;
    bases.push({ version: row.model.rowVersion, files: standing(files, source) });
  }
  const newest = Math.max(0, ...[...rows.map(({ model }) => model), ...events].map(versionOf));
  const isComplete = ({ version }: { version: number }): boolean => {
    const changes = events.filter(({ rowVersion }) => rowVersion > version);
    return follow(version, changes) && version + changes.length === newest;
  };
  const whole = bases.find(isComplete);
  const latest = bases.toSorted((a, b) => b.version - a.version)[0];
  const base = whole ?? latest ?? { version: 0, files: [] };
  const complete = whole !== undefined;
  const changes = events.filter(({ rowVersion }) => rowVersion > base.version);
  const changed = change(base.files, changes);
  if (complete) return { files: changed, complete };
  const file = sources.find(({ origin }) => origin === "file");
  if (file === undefined) return { files: changed, complete };
  const later = changes.filter(({ eventId }) => eventId > file.eventId);
  return { files: change([...changed, ...standing(files, file.source)], later), complete };
}

const NOTHING: PastState = { record: {}, files: new Map() };

function change(files: readonly ModelFile[], events: readonly ModelEvent[]): readonly ModelFile[] {
  const byPath = new Map(files.map((file) => [file.path, toFileRecord(file)]));
  return fold({ record: {}, files: byPath }, events).files;
}

function standing(files: readonly KnownFile[], source: number): ModelFile[] {
  return files.filter((known) => known.live && known.source === source).map(({ file }) => file);
}

function versionOf({ rowVersion }: { rowVersion: number }): number {
  return rowVersion;
}
