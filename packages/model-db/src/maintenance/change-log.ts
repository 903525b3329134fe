import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

import type { ModelEvent } from "../domain/event.ts";
import type { JsonObject } from "../domain/model.ts";
import { fromEventRecord, toEventRecord } from "../domain/record.ts";
import { RegistryError } from "../errors.ts";
import { createFolder } from "./backup-folder.ts";
import { replaceDurably, syncPath } from "./durable-files.ts";
import { withFileErrors } from "./file-errors.ts";
import { readFully } from "./pages/read-fully.ts";

// A log is a folder of segments, each named after the first event that it may hold. A line is JSON that
// ends with the checksum of itself and of the line before it, so that none can be lost unnoticed between
// two others. The first line says whose log it is and which event came before.

const FORMAT = 1;
const SEGMENT = /^(\d{12})\.jsonl$/;
const LINE_END = /^,"checksum":"([0-9a-f]{16})"\}$/;
const LINE_END_LENGTH = ',"checksum":"0123456789abcdef"}'.length;
const CHUNK_BYTES = 64 * 1024;

/** A line of the log that does not hold. */
export interface LogDamage {
  /** The segment's path. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** The segment that is written to. */
interface OpenSegment {
  readonly path: string;
  /** Of its last line. */
  readonly checksum: string;
  readonly sizeBytes: number;
}

interface Segment {
  readonly path: string;
  /** The first event that it may hold. */
  readonly first: number;
}

/** Appends events to the log of a backup folder. One at a time: see {@link followBackup}. */
export class ChangeLogWriter implements Disposable {
  readonly #folder: string;
  readonly #registryId: string;
  #segment: OpenSegment;
  #descriptor: number;
  #lastEventId: number;

  /**
   * Goes on with the log of a folder, or begins one. A last line that a crash has torn is cut off; behind
   * any other damage a new segment begins, so that what is still good stays.
   *
   * @param options.after where a new log begins: the id of the event before its first.
   * @param options.notBefore a log that ends before this event does not go on: a new one begins.
   * @throws RegistryError `disk_full`, `read_only`, `io_error`.
   */
  constructor(
    folder: string,
    registryId: string,
    { after, notBefore = 0 }: { after: number; notBefore?: number },
  ) {
    this.#folder = join(folder, "log");
    this.#registryId = registryId;
    withFileErrors(this.#folder, () => createFolder(this.#folder));
    const newest = segmentsOf(folder).at(-1);
    const found = newest && endOf(newest);
    const end = found !== undefined && found.eventId >= notBefore ? found : undefined;
    this.#lastEventId = end === undefined ? after : end.eventId;
    if (newest !== undefined && end?.whole === true) {
      const { checksum, sizeBytes } = end;
      withFileErrors(newest.path, () => cut(newest.path, sizeBytes));
      this.#segment = { path: newest.path, checksum, sizeBytes };
    } else {
      this.#segment = this.#createSegment();
    }
    this.#descriptor = openToAppend(this.#segment.path);
  }

  /** The id of the newest event that the log holds, or of the one before its first. */
  get lastEventId(): number {
    return this.#lastEventId;
  }

  /** How large the segment is that is written to. */
  get sizeBytes(): number {
    return this.#segment.sizeBytes;
  }

  /**
   * Adds events that follow the last one, in the order of their ids; they are on the disk afterwards, or
   * none is in the log.
   *
   * @throws RegistryError `disk_full`, `io_error`; `database_damaged` for an event that does not follow.
   */
  append(events: readonly ModelEvent[]): void {
    const { path, sizeBytes } = this.#segment;
    let { checksum } = this.#segment;
    let last = this.#lastEventId;
    let text = "";
    for (const event of events) {
      if (event.eventId !== last + 1) {
        throw new RegistryError(
          "database_damaged",
          `The history has a gap: event ${event.eventId} follows ${last}. \`cortex check\` says more.`,
        );
      }
      last = event.eventId;
      const line = toLine(toEventRecord(event), checksum);
      checksum = line.checksum;
      text += line.text;
    }
    const bytes = Buffer.from(text);
    withFileErrors(path, () => {
      try {
        for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
        fsyncSync(this.#descriptor);
      } catch (error) {
        cut(path, sizeBytes);
        throw error;
      }
    });
    this.#segment = { path, checksum, sizeBytes: sizeBytes + bytes.length };
    this.#lastEventId = last;
  }

  /**
   * Begins a new segment, unless this one is still empty.
   *
   * @throws RegistryError `disk_full`, `read_only`, `io_error`.
   */
  rotate(): void {
    if (this.#segment.path === segmentPath(this.#folder, this.#lastEventId + 1)) return;
    const segment = this.#createSegment();
    const descriptor = openToAppend(segment.path);
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#segment = segment;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  #createSegment(): OpenSegment {
    const path = segmentPath(this.#folder, this.#lastEventId + 1);
    const header = { format: FORMAT, registry_id: this.#registryId, after: this.#lastEventId };
    const { text, checksum } = toLine(header, "");
    withFileErrors(path, () => {
      // One of the same name has not a single good event before its damage.
      if (existsSync(path)) renameSync(path, `${path}.damaged`);
      replaceDurably(path, text);
    });
    return { path, checksum, sizeBytes: Buffer.byteLength(text) };
  }
}

function openToAppend(path: string): number {
  return withFileErrors(path, () => openSync(path, "a"));
}

function cut(path: string, sizeBytes: number): void {
  const descriptor = openSync(path, "r+");
  try {
    ftruncateSync(descriptor, sizeBytes);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The events of a log, each once, in the order of their ids. A line that does not hold is passed over
 * and reported; a torn last line is what a crash leaves, and no damage.
 *
 * @param options.after only events beyond this id.
 * @throws RegistryError `read_only`, `io_error`.
 */
export async function* readChangeLog(
  folder: string,
  options: { after?: number; onDamage?: (damage: LogDamage) => void } = {},
): AsyncGenerator<ModelEvent, undefined> {
  const { after = 0, onDamage } = options;
  const segments = segmentsOf(folder);
  let last = after;
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1]?.first ?? Infinity;
    if (next <= after + 1) continue;
    for (const line of linesOf(segment.path)) {
      if (line.event === undefined && !line.isHeader && (!line.torn || next !== Infinity)) {
        onDamage?.({ file: segment.path, line: line.number });
      }
      // The segment that begins there holds them, too: it was begun because of damage in this one.
      if (line.event === undefined || line.event.eventId <= last || line.event.eventId >= next) continue;
      last = line.event.eventId;
      yield line.event;
    }
  }
}

/**
 * The id of the newest event in a folder's log, or of the one before its first; `undefined` where it has
 * no log. Reads the end only.
 *
 * @throws RegistryError `read_only`, `io_error`.
 */
export function lastLoggedEventId(folder: string): number | undefined {
  for (const segment of segmentsOf(folder).toReversed()) {
    const found = lastEventOf(segment);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Removes the segments that nothing beyond an event is in.
 *
 * @throws RegistryError `read_only`, `io_error`.
 */
export function pruneChangeLog(folder: string, eventId: number): void {
  const segments = segmentsOf(folder);
  for (const [index, { path }] of segments.entries()) {
    const next = segments[index + 1];
    if (next !== undefined && next.first <= eventId + 1)
      withFileErrors(path, () => rmSync(path, { force: true }));
  }
  if (segments.length > 0) withFileErrors(folder, () => syncPath(join(folder, "log")));
}

function segmentsOf(folder: string): Segment[] {
  const log = join(folder, "log");
  if (!existsSync(log)) return [];
  return withFileErrors(log, () => readdirSync(log))
    .flatMap((name) => {
      const found = SEGMENT.exec(name);
      return found === null ? [] : [{ path: join(log, name), first: Number(found[1]) }];
    })
    .toSorted((a, b) => a.first - b.first);
}

function segmentPath(log: string, first: number): string {
  return join(log, `${String(first).padStart(12, "0")}.jsonl`);
}

function toLine(record: JsonObject, before: string): { text: string; checksum: string } {
  const body = JSON.stringify(record);
  const checksum = checksumOf(before, body);
  return { text: `${body.slice(0, -1)},"checksum":"${checksum}"}\n`, checksum };
}

function parts(line: string): { body: string; written: string } {
  const [, written = ""] = LINE_END.exec(line.slice(-LINE_END_LENGTH)) ?? [];
  return { body: `${line.slice(0, -LINE_END_LENGTH)}}`, written };
}

function checksumOf(before: string, body: string): string {
  // Loaded when it is needed: see rowChecksum.
  return process
    .getBuiltinModule("node:crypto")
    .hash("sha256", before + body, "hex")
    .slice(0, 16);
}

interface Line {
  /** From 1. */
  readonly number: number;
  /** Where it ends in the file. */
  readonly endBytes: number;
  /** It has no end of line: what a crash, or somebody who is writing just now, leaves. */
  readonly torn: boolean;
  readonly isHeader: boolean;
  readonly checksum?: string;
  /** `undefined` where the line does not hold. */
  readonly event?: ModelEvent;
}

function* linesOf(path: string): Generator<Line, undefined> {
  // What the line before may have as its checksum: what is written there, and what should be.
  let before: readonly string[] = [""];
  let number = 0;
  for (const { text, endBytes, torn } of textLines(path)) {
    number++;
    const { body, written } = parts(text);
    const due = before.map((checksum) => checksumOf(checksum, body));
    const holds = !torn && due.includes(written);
    // Where one was damaged, the other may have survived.
    before = holds ? [written] : [written, ...due];
    const record = holds ? (JSON.parse(body) as JsonObject) : undefined;
    const isHeader = record !== undefined && number === 1;
    yield {
      number,
      endBytes,
      torn,
      isHeader,
      ...(holds ? { checksum: written } : {}),
      ...(record === undefined || isHeader ? {} : { event: fromEventRecord(record) }),
    };
  }
}

function* textLines(path: string): Generator<{ text: string; endBytes: number; torn: boolean }, undefined> {
  const descriptor = withFileErrors(path, () => openSync(path, "r"));
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let rest: Buffer[] = [];
    let endBytes = 0;
    for (;;) {
      const read = withFileErrors(path, () => readSync(descriptor, chunk, 0, CHUNK_BYTES, null));
      if (read === 0) break;
      let start = 0;
      for (let at = chunk.indexOf(10); at !== -1 && at < read; at = chunk.indexOf(10, start)) {
        const bytes = Buffer.concat([...rest, chunk.subarray(start, at)]);
        rest = [];
        start = at + 1;
        endBytes += bytes.length + 1;
        yield { text: bytes.toString("utf8"), endBytes, torn: false };
      }
      if (start < read) rest.push(Buffer.from(chunk.subarray(start, read)));
    }
    if (rest.length === 0) return;
    const bytes = Buffer.concat(rest);
    yield { text: bytes.toString("utf8"), endBytes: endBytes + bytes.length, torn: true };
  } finally {
    closeSync(descriptor);
  }
}

/** Where a writer goes on: behind the last event before the first damage. */
function endOf(segment: Segment): {
  eventId: number;
  checksum: string;
  sizeBytes: number;
  /** Nothing but a torn last line stands behind it. */
  whole: boolean;
} {
  let end = { eventId: segment.first - 1, checksum: "", sizeBytes: 0, whole: false };
  for (const line of linesOf(segment.path)) {
    if (line.torn) break;
    const follows = line.isHeader || line.event?.eventId === end.eventId + 1;
    if (!follows || line.checksum === undefined) return { ...end, whole: false };
    end = {
      eventId: line.event?.eventId ?? end.eventId,
      checksum: line.checksum,
      sizeBytes: line.endBytes,
      whole: true,
    };
  }
  return end;
}

// The newest event of a segment that holds, from its end.
function lastEventOf({ path, first }: Segment): number | undefined {
  return withFileErrors(path, () => readLastEvent(path, first));
}

function readLastEvent(path: string, first: number): number | undefined {
  const descriptor = openSync(path, "r");
  try {
    const { size } = fstatSync(descriptor);
    for (let tail = CHUNK_BYTES; ; tail *= 4) {
      const start = Math.max(0, size - tail);
      const bytes = Buffer.alloc(size - start);
      readFully(descriptor, bytes, start);
      const lines = bytes.toString("utf8").split("\n").slice(0, -1);
      for (let index = lines.length - 1; index > 0; index--) {
        const { body, written } = parts(lines[index]!);
        if (checksumOf(parts(lines[index - 1]!).written, body) !== written) continue;
        return (JSON.parse(body) as { event_id: number }).event_id;
      }
      if (start > 0) continue;
      return lines.length === 1 ? first - 1 : undefined;
    }
  } finally {
    closeSync(descriptor);
  }
}
