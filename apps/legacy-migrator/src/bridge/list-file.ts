import { closeSync, fstatSync, openSync, readSync, rmSync, statSync, type BigIntStats } from "node:fs";
import { basename, dirname, join } from "node:path";

import { renameDurably, takeOverRights, writeDurably } from "@cortex/model-db/durable-files";

import type { Base } from "./choose-base.ts";

/** A content of the file that is not ours. */
export interface ForeignContent {
  readonly bytes: Buffer;
  /** Last change, Unix milliseconds. */
  readonly modifiedAt: number;
  /** Since when it has been like this at the latest, in milliseconds of `performance.now`. */
  readonly since: number;
  /** Until when it was seen like this: a look that the machine holds up sees nothing of what comes meanwhile. */
  readonly seenAt: number;
  /** Whether it took the place of what was there as a whole. */
  readonly isReplaced: boolean;
  /**
   * For what was written to a file that was no longer there, because ours had taken its place: the versions
   * that its writer may have started from.
   */
  readonly lateBases: readonly Base[] | undefined;
}

/** What a look at the file found: nothing new, nothing that can be told yet, no file, or other content. */
export type Look = "same" | "moving" | { readonly missingSince: number } | ForeignContent;

interface Stamp {
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

/** A file that ours took the place of, and that another program may still be writing to. */
interface Replaced {
  readonly descriptor: number;
  readonly until: number;
  stamp: Stamp;
  since: number;
  seen: Stamp;
  readonly bases: readonly Base[];
}

// How long a program may take from opening the list to the end of writing it.
const LATE_MS = 10_000;
// Two changes of one clock tick have the same time: what changed just now is read again.
const TICK_MS = 50;
const NS_PER_MS = 1_000_000n;

/** The text file, as another program rewrites it in place while ours replaces it. */
export class ListFile implements Disposable {
  readonly path: string;
  #known: { stamp: Stamp; bytes: Buffer; isRecent: boolean } | undefined;
  #seen: { stamp: Stamp; bytes: Buffer; isRecent: boolean; since: number } | undefined;
  #missingSince: number | undefined;
  /** Whether there was no file since it was last known: what comes then was made anew, bit by bit. */
  #wasMissing = false;
  /** Whose the file is and who may do what with it, also while it is missing. */
  #rights: BigIntStats | undefined;
  readonly #replaced: Replaced[] = [];

  /** @param path leads to the file itself, through no link. */
  constructor(path: string) {
    this.path = path;
  }

  /** Looks at the file. */
  look(): Look {
    const now = performance.now();
    const found = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    if (found === undefined) {
      this.#seen = undefined;
      this.#wasMissing = true;
      return { missingSince: (this.#missingSince ??= performance.now()) };
    }
    this.#missingSince = undefined;
    this.#rights = found;
    const known = this.#known;
    if (known !== undefined && isSame(known.stamp, found) && !known.isRecent) return "same";
    if (this.#seen === undefined || !isSame(this.#seen.stamp, found) || this.#seen.isRecent) {
      const read = readWhole(this.path);
      if (read === undefined) return "moving";
      if (known !== undefined && known.bytes.equals(read.bytes) && isSame(known.stamp, read.stamp)) {
        this.#known = { ...read, isRecent: isRecent(read.stamp) };
        return "same";
      }
      const isStill = isSame(read.stamp, this.#seen?.stamp) && this.#seen?.bytes.equals(read.bytes);
      const since = isStill ? this.#seen!.since : performance.now();
      this.#seen = { ...read, isRecent: isRecent(read.stamp), since };
    }
    const { bytes, stamp, since } = this.#seen;
    return {
      bytes,
      modifiedAt: Number(stamp.mtimeNs / NS_PER_MS),
      since,
      seenAt: Math.max(since, now),
      isReplaced: known !== undefined && !this.#wasMissing && known.stamp.ino !== stamp.ino,
      lateBases: undefined,
    };
  }

  /** What was written to files that ours took the place of, oldest first; "moving" while it goes on. */
  lookAtReplaced(): Look {
    const now = performance.now();
    for (const replaced of this.#replaced.slice()) {
      const { descriptor, stamp } = replaced;
      const found = fstatSync(descriptor, { bigint: true });
      if (isSame(stamp, found)) {
        if (now > replaced.until) this.#forget(replaced);
        continue;
      }
      const bytes = readAll(descriptor, Number(found.size));
      if (!isSame(fstatSync(descriptor, { bigint: true }), found)) return "moving";
      if (!isSame(replaced.seen, found)) {
        [replaced.seen, replaced.since] = [stampOf(found), performance.now()];
      }
      return {
        bytes,
        modifiedAt: Number(found.mtimeNs / NS_PER_MS),
        since: replaced.since,
        seenAt: Math.max(replaced.since, now),
        isReplaced: false,
        lateBases: replaced.bases,
      };
    }
    return "same";
  }

  /** Takes note of a content that was merged. */
  accept(content: ForeignContent): void {
    if (content.lateBases !== undefined) {
      const replaced = this.#replaced.find(({ stamp, seen }) => !isSame(stamp, seen));
      if (replaced !== undefined) replaced.stamp = replaced.seen;
      return;
    }
    const { stamp, bytes } = this.#seen!;
    this.#known = { stamp, bytes, isRecent: isRecent(stamp) };
    this.#seen = undefined;
    this.#wasMissing = false;
  }

  /** Takes what the file holds for unknown: the next look tells of it as of what another program wrote. */
  doubt(): void {
    this.#known = undefined;
  }

  /** Whether the file holds this text, as far as is known. */
  holds(bytes: Buffer): boolean {
    return this.#missingSince === undefined && this.#known?.bytes.equals(bytes) === true;
  }

  /** Milliseconds since ours last took the place of a file that another program may be writing to. */
  get replacedMs(): number {
    const last = this.#replaced.at(-1);
    return last === undefined ? Infinity : performance.now() - (last.until - LATE_MS);
  }

  /**
   * Puts a text in the file's place, durably: a temporary file in the same folder, renamed.
   *
   * @param bases the versions that a program may know that has the file open.
   * @returns false where another program has written since the last look: nothing was done.
   */
  replace(bytes: Buffer, bases: readonly Base[]): boolean {
    const temporary = join(dirname(this.path), `.${basename(this.path)}.bridge`);
    rmSync(temporary, { force: true });
    const old = this.#open();
    try {
      const stats = old === undefined ? undefined : fstatSync(old, { bigint: true });
      if (stats === undefined ? this.#missingSince === undefined : !isSame(stats, this.#known?.stamp)) {
        return false;
      }
      writeDurably(temporary, bytes);
      if (this.#rights !== undefined) takeOverRights(temporary, this.#rights);
      const stamp = stampOf(statSync(temporary, { bigint: true }));
      const now = performance.now();
      if (!this.#isStill(stats)) {
        rmSync(temporary);
        return false;
      }
      renameDurably(temporary, this.path);
      if (old !== undefined) {
        const replaced = stampOf(stats!);
        this.#replaced.push({
          descriptor: old,
          until: now + LATE_MS,
          stamp: replaced,
          seen: replaced,
          since: now,
          bases,
        });
      }
      this.#known = { stamp, bytes, isRecent: true };
      this.#missingSince = undefined;
      this.#wasMissing = false;
      return true;
    } finally {
      if (old !== undefined && this.#replaced.at(-1)?.descriptor !== old) closeSync(old);
    }
  }

  [Symbol.dispose](): void {
    for (const { descriptor } of this.#replaced.splice(0)) closeSync(descriptor);
  }

  #open(): number | undefined {
    try {
      return openSync(this.path, "r");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  #isStill(stats: BigIntStats | undefined): boolean {
    const now = statSync(this.path, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? now === undefined : now !== undefined && isSame(stats, now);
  }

  #forget(replaced: Replaced): void {
    this.#replaced.splice(this.#replaced.indexOf(replaced), 1);
    closeSync(replaced.descriptor);
  }
}

// The whole content of one moment; `undefined` where it changed meanwhile.
function readWhole(path: string): { bytes: Buffer; stamp: Stamp } | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const before = fstatSync(descriptor, { bigint: true });
    const bytes = readAll(descriptor, Number(before.size));
    return isSame(before, fstatSync(descriptor, { bigint: true })) && bytes.length === Number(before.size)
      ? { bytes, stamp: stampOf(before) }
      : undefined;
  } finally {
    closeSync(descriptor);
  }
}

function readAll(descriptor: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let at = 0;
  while (at < size) {
    const read = readSync(descriptor, bytes, at, size - at, at);
    if (read === 0) break;
    at += read;
  }
  return bytes.subarray(0, at);
}

function isSame(one: Stamp, other: Stamp | undefined): boolean {
  return one.ino === other?.ino && one.size === other.size && one.mtimeNs === other.mtimeNs;
}

function stampOf({ ino, size, mtimeNs }: BigIntStats): Stamp {
  return { ino, size, mtimeNs };
}

function isRecent({ mtimeNs }: Stamp): boolean {
  return Date.now() - Number(mtimeNs / NS_PER_MS) < TICK_MS;
}
