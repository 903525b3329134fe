import { setImmediate } from "node:timers/promises";

import type { ModelEvent } from "../domain/event.ts";
import { MODEL_STATUS, type JsonObject, type Model, type ModelFile } from "../domain/model.ts";
import { toHistoryRecord } from "../domain/record.ts";
import type { AssemblyReport, ModelReport } from "./assembly-report.ts";
import type { EventRange } from "./assembly-report.ts";
import { carve, type CarvedRow } from "./carve.ts";
import { readChangeLog } from "./change-log.ts";
import { Finds, type Claim } from "./finds.ts";
import { newestState, type Outcome, type RowSource, type Surroundings } from "./newest-state.ts";

/** Where a registry's models and history can be read from. */
export type Source =
  /** A registry's file, which may be damaged, with its write-ahead log; nobody changes it meanwhile. */
  | { readonly origin: "file" | "snapshot"; readonly path: string }
  /** A backup folder with a log. */
  | { readonly origin: "change_log"; readonly folder: string };

/** A change that the way to the newest state entails, as an event that has no id yet. */
export type Amendment = Omit<ModelEvent, "eventId">;

/** The newest true state of each model, and the whole history, put together from all that is known. */
export class Assembly implements Disposable {
  readonly report: AssemblyReport;
  readonly #finds: Finds;

  /** @internal */
  constructor(finds: Finds, report: AssemblyReport) {
    this.#finds = finds;
    this.report = report;
  }

  /** The models with their files, in the order of registration. */
  models(): Iterable<{ model: Model; files: readonly ModelFile[] }> {
    return this.#finds.results();
  }

  /** The events that were found, as they are stored, in the order of their ids. */
  events(): ReturnType<Finds["events"]> {
    return this.#finds.events();
  }

  /** What the state entails beyond the events: leases that ended, aliases that a newer model has. */
  amendments(): Iterable<Amendment> {
    return this.#finds.amendments();
  }

  [Symbol.dispose](): void {
    this.#finds[Symbol.dispose]();
  }
}

interface ReadSource extends RowSource {
  /** The newest event that there was in it; `undefined` where that cannot be known. */
  readonly newestEventId: number | undefined;
  /** Whether no row was found in it. */
  readonly empty: boolean;
}

const ROWS_AT_ONCE = 5000;

/**
 * Puts the newest state of a registry together from what there is of it. Where sources tell the same,
 * the first one counts, so the registry's own file comes first.
 *
 * @param options.at when amendments are said to have happened, in Unix milliseconds.
 * @param options.onProgress how far it is with what it names.
 */
export async function assemble(
  sources: readonly Source[],
  options: { at: number; onProgress?: ((what: string, done: number, total?: number) => void) | undefined },
): Promise<Assembly> {
  const { at, onProgress = () => undefined } = options;
  const finds = new Finds();
  try {
    const read: ReadSource[] = [];
    for (const [number, source] of sources.entries()) {
      if (source.origin === "change_log") await readLog(finds, source.folder, onProgress);
      else
        read.push(await readRows(finds, { origin: source.origin, source: number }, source.path, onProgress));
    }
    const { missingEvents, newestEventId } = eventsMissing(finds, read);
    const endKnown = isEndKnown(read);
    // A file without a row says nothing of what it held: then the backup's models are what there is.
    const endLost = !endKnown && read.some(({ origin, empty }) => origin === "file" && !empty);
    const lastMissingEventId = endLost ? Infinity : (missingEvents.at(-1)?.[1] ?? 0);
    const models = await decideAll(
      finds,
      { sources: read, lastMissingEventId, lastRepairEventId: finds.lastRepairEventId() },
      at,
      onProgress,
    );
    const lostAliases = settleNames(finds, at);
    const there = finds.resultIds().map((modelId): ModelReport => {
      return { ...models.get(modelId)!, lostAliases: lostAliases.get(modelId) ?? [] };
    });
    const lost = [...models.values()].filter(({ state }) => state === "lost");
    return new Assembly(finds, {
      models: [...there, ...lost],
      eventCount: finds.eventCount(),
      newestEventId,
      missingEvents,
      endKnown,
      contradictions: finds.contradictions,
    });
  } catch (error) {
    finds[Symbol.dispose]();
    throw error;
  }
}

async function readRows(
  finds: Finds,
  from: { origin: "file" | "snapshot"; source: number },
  path: string,
  onProgress: (what: string, done: number, total?: number) => void,
): Promise<ReadSource> {
  const late: CarvedRow[] = [];
  const unverified: CarvedRow[] = [];
  let newest = 0;
  let count = 0;
  const rows = carve(path, (done, total) => onProgress(`pages of the ${from.origin}`, done, total));
  let next = rows.next();
  for (; next.done !== true; next = rows.next()) {
    const row = next.value;
    if (row.late) late.push(row);
    else if (row.verified) finds.add(row, from);
    else unverified.push(row);
    if (row.live && row.table === "model_event") newest = Math.max(newest, row.row.event_id);
    if (++count % ROWS_AT_ONCE === 0) await setImmediate();
  }
  // Frames behind a damaged one may be of a commit that was cut off, and that later ones took the place of.
  if (!late.some((row) => finds.contradicts(row))) for (const row of late) finds.add(row, from);
  // What a checksum vouches for counts before what nothing does.
  for (const row of unverified) finds.add(row, from);
  const { wholeTables, newestEventId, logLost } = next.value;
  return {
    ...from,
    eventId: newest,
    wholeTables,
    newest: from.origin === "file" && !logLost,
    newestEventId,
    empty: count === 0,
  };
}

async function readLog(
  finds: Finds,
  folder: string,
  onProgress: (what: string, done: number) => void,
): Promise<void> {
  let count = 0;
  for await (const event of readChangeLog(folder)) {
    finds.addEvent(event, "change_log");
    onProgress("events of the backup's log", ++count);
  }
}

async function decideAll(
  finds: Finds,
  surroundings: Surroundings,
  at: number,
  onProgress: (what: string, done: number) => void,
): Promise<Map<string, ModelReport>> {
  const reports = new Map<string, ModelReport>();
  let count = 0;
  for (const evidence of finds.evidence()) {
    const { modelId } = evidence;
    const outcome = newestState(evidence, surroundings);
    const report = decide(finds, modelId, outcome, at);
    if (report !== undefined) reports.set(modelId, report);
    if (++count % ROWS_AT_ONCE === 0) await setImmediate();
    onProgress("models", count);
  }
  return reports;
}

function decide(finds: Finds, modelId: string, outcome: Outcome, at: number): ModelReport | undefined {
  if (outcome.state === "lost") {
    return { modelId, state: "lost", origin: null, verified: false, lostAliases: [] };
  }
  if (outcome.state === "deleted") {
    if (outcome.unsaid !== undefined) {
      const { model, files } = outcome.unsaid;
      const { rowVersion } = model;
      const before = toHistoryRecord(model, files);
      const change = { at, rowVersion, before, after: null, origin: null };
      finds.amend({ modelId, kind: "deleted", actor: "registry", ...change });
    }
    return undefined;
  }
  const { files, seq, createdBy, lastEventId, certain, verified, origin } = outcome;
  const model = withoutLease(finds, outcome.model, at);
  finds.addResult({ model, files, seq, createdBy, lastEventId });
  return { modelId, state: certain ? "recovered" : "uncertain", origin, verified, lostAliases: [] };
}

// Whoever held it does not hold it in the file that comes of this.
function withoutLease(finds: Finds, model: Model, at: number): Model {
  if (model.status === MODEL_STATUS.READY) return model;
  return amended(finds, { ...model, status: MODEL_STATUS.READY }, "expired", at, {
    before: { status: MODEL_STATUS.RUNNING },
    after: { status: MODEL_STATUS.READY, expires_at: at },
  });
}

// A name that two models claim was given up by the one that was changed first.
function settleNames(finds: Finds, at: number): Map<string, string[]> {
  const lost = new Map<string, string[]>();
  for (const { modelId, names } of losers(finds.disputedNames())) {
    const { model, ...rest } = finds.result(modelId);
    const taken = new Set(names);
    const alias = model.alias !== null && taken.has(model.alias) ? null : model.alias;
    const aliases = model.aliases.filter((name) => !taken.has(name));
    const before: JsonObject = {};
    const after: JsonObject = {};
    if (alias !== model.alias) [before["alias"], after["alias"]] = [model.alias, alias];
    if (aliases.length < model.aliases.length) {
      [before["aliases"], after["aliases"]] = [[...model.aliases], aliases];
    }
    const changed = amended(finds, { ...model, alias, aliases }, "aliased", at, { before, after });
    finds.addResult({ ...rest, model: changed });
    lost.set(modelId, names);
  }
  return lost;
}

function losers(claims: Iterable<Claim>): { modelId: string; names: string[] }[] {
  const names = new Map<string, string[]>();
  let settled: string | undefined;
  for (const { name, modelId } of claims) {
    if (name !== settled) settled = name;
    else names.set(modelId, [...(names.get(modelId) ?? []), name]);
  }
  return [...names].map(([modelId, taken]) => ({ modelId, names: taken }));
}

function amended(
  finds: Finds,
  model: Model,
  kind: Amendment["kind"],
  at: number,
  change: Pick<Amendment, "before" | "after">,
): Model {
  const next = { ...model, updatedAt: at, rowVersion: model.rowVersion + 1 };
  finds.amend({
    modelId: next.modelId,
    kind,
    actor: "registry",
    at,
    rowVersion: next.rowVersion,
    origin: null,
    ...change,
  });
  return next;
}

// Of the file, that is: a snapshot and a log end earlier.
function isEndKnown(sources: readonly ReadSource[]): boolean {
  const file = sources.find(({ origin }) => origin === "file");
  return file?.newest === true && !file.empty && file.newestEventId !== undefined;
}

function eventsMissing(
  finds: Finds,
  sources: readonly ReadSource[],
): Pick<AssemblyReport, "missingEvents" | "newestEventId"> {
  const missing: EventRange[] = [];
  let newest = 0;
  const last = Math.max(0, ...sources.map(({ newestEventId = 0 }) => newestEventId));
  for (const [first, end] of [...finds.eventRanges(), [last + 1, last] as const]) {
    if (first > newest + 1) missing.push([newest + 1, first - 1]);
    newest = Math.max(newest, end);
  }
  return { missingEvents: missing, newestEventId: newest };
}
