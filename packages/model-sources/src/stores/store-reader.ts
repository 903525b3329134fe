import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
  type Dirent,
} from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";

import type { FileRole } from "@cortex/model-db";

import type { FoundFile, Finding } from "./found-model.ts";

const MAX_ENTRIES = 200_000;
const MAX_TEXT_BYTES = 1024 * 1024;
const MAX_DEPTH = 24;
// How long others wait at most. A call of the file system takes microseconds, and a promise for each twenty times that.
const TURN_MS = 15;

/** A file below a folder. */
export interface Entry {
  /** With `/` between its parts. */
  readonly relativePath: string;
  readonly path: string;
  readonly isLink: boolean;
}

/**
 * Reads other tools' folders, which anybody may have written: whatever cannot be read becomes a finding, a link that
 * leads back is followed once, and nothing is read whole that is larger than what tools write there.
 */
export class StoreReader {
  readonly #signal: AbortSignal | undefined;
  #findings: Finding[] = [];
  #turnEnds = performance.now() + TURN_MS;
  // One for all files: to make a new one takes longer than to read a file.
  #buffer: Buffer = Buffer.allocUnsafeSlow(16 * 1024);

  /** @param signal ends the reading, at the next {@link rest} */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Notes what is the matter with something. @param problem the end of a sentence that begins with the path. */
  note(path: string, problem: string): void {
    this.#findings.push({ kind: "finding", path, problem });
  }

  /** What has been noted since this was asked last. */
  takeFindings(): Finding[] {
    const findings = this.#findings;
    if (findings.length > 0) this.#findings = [];
    return findings;
  }

  /** Lets others have their turn, when it is time. @throws what the signal was aborted with */
  async rest(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (performance.now() < this.#turnEnds) return;
    await setImmediate();
    this.#turnEnds = performance.now() + TURN_MS;
  }

  /** What is in a folder, by name; nothing where there is no such folder. */
  list(folder: string): Dirent[] {
    try {
      const entries = readdirSync(folder, { withFileTypes: true });
      if (entries.length > MAX_ENTRIES) {
        this.note(folder, `has ${entries.length} entries, and only the first ${MAX_ENTRIES} are looked at`);
        entries.length = MAX_ENTRIES;
      }
      return entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
    } catch (error) {
      this.#noteUnlessGone(folder, error);
      return [];
    }
  }

  /** Whether there is such a folder, through links. */
  isFolder(path: string): boolean {
    try {
      return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    } catch {
      return false;
    }
  }

  /**
   * A file as it is now, through links.
   *
   * @param sha256 what its name says of its content.
   */
  file(path: string, role: FileRole, sha256: string | null = null): FoundFile {
    try {
      const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
      if (stats?.isFile() === true) {
        return {
          path,
          role,
          sizeBytes: Number(stats.size),
          sha256,
          identity: `${stats.dev}:${stats.ino}`,
          modifiedAt: Number(stats.mtimeMs),
        };
      }
    } catch (error) {
      this.#noteUnlessGone(path, error);
    }
    return { path, role, sizeBytes: null, sha256, identity: null, modifiedAt: null };
  }

  /** A file that is being downloaded: as large as what is on the disk, since some are laid out in full before. */
  partialFile(path: string): FoundFile {
    const file = this.file(path, "other");
    if (file.sizeBytes === null) return file;
    const { blocks } = statSync(path);
    return { ...file, sizeBytes: blocks > 0 ? Math.min(file.sizeBytes, blocks * 512) : file.sizeBytes };
  }

  /** Where a link leads, as it says; `undefined` where it is none. */
  link(path: string): string | undefined {
    try {
      return readlinkSync(path);
    } catch {
      return undefined;
    }
  }

  /** A small text; `undefined` where there is none, or it is larger than such a text can be. */
  text(path: string, maxBytes: number = MAX_TEXT_BYTES): string | undefined {
    try {
      // A pipe would be waited for until somebody writes.
      const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
      try {
        if (!fstatSync(descriptor).isFile()) {
          this.note(path, "is no file");
          return undefined;
        }
        for (let length = 0; ;) {
          if (length === this.#buffer.length) this.#buffer = grown(this.#buffer);
          const read = readSync(descriptor, this.#buffer, length, this.#buffer.length - length, null);
          if (read === 0) return this.#buffer.toString("utf8", 0, length);
          length += read;
          if (length <= maxBytes) continue;
          this.note(path, "is far larger than such a file is");
          return undefined;
        }
      } finally {
        closeSync(descriptor);
      }
    } catch (error) {
      this.#noteUnlessGone(path, error);
      return undefined;
    }
  }

  /** A small JSON document; `undefined` where there is none. */
  json(path: string, maxBytes?: number): unknown {
    const text = this.text(path, maxBytes);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      this.note(path, "is no JSON");
      return undefined;
    }
  }

  /**
   * The files below a folder, by name. Folders are entered through links too, each only once.
   *
   * @param options.skip folders, by name, that are not entered.
   */
  async *walk(
    root: string,
    { skip = new Set<string>() }: { readonly skip?: ReadonlySet<string> } = {},
  ): AsyncGenerator<{ readonly entries: readonly Entry[] }, undefined> {
    const seen = new Set<string>();
    const waiting = [{ path: root, relativePath: "", depth: 0 }];
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      await this.rest();
      const { path, relativePath, depth } = at;
      const identity = this.#folderIdentity(path);
      if (identity === undefined || seen.has(identity)) continue;
      seen.add(identity);
      const entries: Entry[] = [];
      const folders: typeof waiting = [];
      for (const entry of this.list(path)) {
        const inside = join(path, entry.name);
        const isLink = entry.isSymbolicLink();
        const name = relativePath === "" ? entry.name : `${relativePath}/${entry.name}`;
        if (entry.name.includes("\ufffd")) this.note(inside, "has a name that is no text");
        else if (entry.isDirectory() || (isLink && this.isFolder(inside))) {
          if (!skip.has(entry.name)) folders.push({ path: inside, relativePath: name, depth: depth + 1 });
        } else if (isLink || entry.isFile()) entries.push({ relativePath: name, path: inside, isLink });
      }
      if (depth >= MAX_DEPTH && folders.length > 0) this.note(path, "has folders too deep to be looked at");
      else waiting.push(...folders.toReversed());
      if (entries.length > 0) yield { entries };
    }
  }

  #folderIdentity(path: string): string | undefined {
    try {
      const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
      return stats?.isDirectory() === true ? `${stats.dev}:${stats.ino}` : undefined;
    } catch (error) {
      this.#noteUnlessGone(path, error);
      return undefined;
    }
  }

  #noteUnlessGone(path: string, error: unknown): void {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return;
    this.note(path, PROBLEMS[code ?? ""] ?? `cannot be read (${code ?? String(error)})`);
  }
}

function grown(buffer: Buffer): Buffer {
  const larger = Buffer.allocUnsafeSlow(buffer.length * 4);
  buffer.copy(larger);
  return larger;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: "cannot be read: you may not",
  EPERM: "cannot be read: you may not",
  ELOOP: "is a link that leads back to itself",
  EISDIR: "is a folder in a file's place",
  EIO: "cannot be read: the disk fails",
};
