import { constants } from "node:fs";
import { link, lstat, open, readFile, rename, rm, writeFile, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

import { RegistryError } from "@cortex/model-db";

import { syncFolder } from "../folders/durable-folder.ts";
import type { RemoteFile } from "../hub/remote-model.ts";
import { ByteRanges, type ByteRange } from "./byte-ranges.ts";
import { nameTaken, notWritten } from "./download-failures.ts";

/** What a file is called until it is whole and verified. */
export const PARTIAL_SUFFIX = ".partial";
/** What stands beside it and says which of its bytes are on the disk. */
export const JOURNAL_SUFFIX = ".partial.json";

const MAX_JOURNAL_BYTES = 1024 * 1024;

type Identity = Pick<RemoteFile, "sizeBytes" | "sha256" | "gitSha1" | "etag"> & { readonly url: string };

interface Journal extends Identity {
  readonly done: readonly ByteRange[];
}

/**
 * A file on its way to its place: of its full size from the start, written in any order, and with a journal
 * of what is on the disk, so that another process goes on where this one ended.
 */
export class PartialFile implements AsyncDisposable {
  /** Where it will be. */
  readonly place: string;
  readonly #identity: Identity;
  readonly #handle: FileHandle;
  #ranges: ByteRanges;
  #bytesInJournal: number;
  /** How many bytes an earlier try had left. */
  readonly resumedBytes: number;

  private constructor(place: string, identity: Identity, handle: FileHandle, ranges: ByteRanges) {
    this.place = place;
    this.#identity = identity;
    this.#handle = handle;
    this.#ranges = ranges;
    this.#bytesInJournal = ranges.bytes;
    this.resumedBytes = ranges.bytes;
  }

  /**
   * Opens what an earlier try left, if it is of the same file, else makes a new one.
   *
   * @param place where the file will be; its folder is there.
   * @throws RegistryError `invalid_input` where something else has that name, and `disk_full`.
   */
  static async open(place: string, file: Omit<RemoteFile, "path">): Promise<PartialFile> {
    const { sizeBytes, sha256, gitSha1, etag } = file;
    const identity: Identity = { sizeBytes, sha256, gitSha1, etag, url: file.url.replace(/\?.*$/s, "") };
    const handle = await openPartial(`${place}${PARTIAL_SUFFIX}`);
    try {
      const { size } = await handle.stat();
      const journal = size === sizeBytes ? await readJournal(place, identity) : undefined;
      if (journal === undefined) {
        await rm(`${place}${JOURNAL_SUFFIX}`, { force: true });
        await handle.truncate(0);
        await handle.truncate(sizeBytes);
      }
      return new PartialFile(place, identity, handle, new ByteRanges(journal?.done));
    } catch (error) {
      await handle.close();
      throw notWritten(place, error);
    }
  }

  get descriptor(): number {
    return this.#handle.fd;
  }

  get sizeBytes(): number {
    return this.#identity.sizeBytes;
  }

  /** Which bytes are written: whoever writes them says so here. */
  get ranges(): ByteRanges {
    return this.#ranges;
  }

  /** Brings what is written to the disk, and only then says in the journal that it is there. */
  async saveProgress(): Promise<void> {
    const bytes = this.#ranges.bytes;
    if (bytes === this.#bytesInJournal) return;
    const text = JSON.stringify({ ...this.#identity, done: this.#ranges } satisfies Record<
      keyof Journal,
      unknown
    >);
    await this.#handle.datasync();
    const journal = `${this.place}${JOURNAL_SUFFIX}`;
    await rm(`${journal}.new`, { force: true });
    await writeFile(`${journal}.new`, text, { flag: "wx", flush: true });
    await rename(`${journal}.new`, journal);
    this.#bytesInJournal = bytes;
  }

  /** Forgets what was written. */
  async restart(): Promise<void> {
    await rm(`${this.place}${JOURNAL_SUFFIX}`, { force: true });
    this.#ranges = new ByteRanges();
    this.#bytesInJournal = 0;
    await this.#handle.truncate(0);
    await this.#handle.truncate(this.#identity.sizeBytes);
  }

  /**
   * Gives the file its name, in a way that survives a power failure; call it when the content is verified.
   *
   * @throws RegistryError `name_taken` where a file is there already, which stays.
   */
  async finish(): Promise<void> {
    const partial = `${this.place}${PARTIAL_SUFFIX}`;
    await this.#handle.sync();
    await nameOnce(partial, this.place);
    await syncFolder(dirname(this.place));
    await rm(`${this.place}${JOURNAL_SUFFIX}`, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/** Removes what an unfinished download left beside a place. @returns the bytes it took. */
export async function discardPartial(place: string): Promise<number> {
  const left = await lstat(`${place}${PARTIAL_SUFFIX}`).catch(() => undefined);
  for (const suffix of [PARTIAL_SUFFIX, JOURNAL_SUFFIX, `${JOURNAL_SUFFIX}.new`]) {
    await rm(`${place}${suffix}`, { force: true });
  }
  return left?.isFile() === true ? left.blocks * 512 : 0;
}

async function openPartial(path: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  try {
    const handle = await open(path, O_RDWR | O_NOFOLLOW);
    const stats = await handle.stat();
    if (stats.isFile() && stats.nlink === 1) return handle;
    await handle.close();
    if (!stats.isFile()) throw notAFile(path);
    // Another name of some other file: its content is not ours to change.
    await rm(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ELOOP" || code === "EISDIR") throw notAFile(path);
    if (code !== "ENOENT") throw notWritten(path, error);
  }
  try {
    return await open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  } catch (error) {
    throw notWritten(path, error);
  }
}

async function readJournal(place: string, identity: Identity): Promise<Journal | undefined> {
  // Without a name for its state nobody knows whether it is still the same file.
  if (identity.sha256 === null && identity.gitSha1 === null && identity.etag === null) return undefined;
  const path = `${place}${JOURNAL_SUFFIX}`;
  try {
    const stats = await lstat(path);
    if (!stats.isFile() || stats.size > MAX_JOURNAL_BYTES) return undefined;
    const journal = JSON.parse(await readFile(path, "utf8")) as Journal;
    const isSame =
      identity.sizeBytes === journal.sizeBytes &&
      identity.sha256 === journal.sha256 &&
      identity.gitSha1 === journal.gitSha1 &&
      // What has a hash may come from another mirror this time.
      (identity.etag === null || (identity.etag === journal.etag && identity.url === journal.url));
    const isSound = journal.done.every(
      ([start, end]) =>
        Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end <= identity.sizeBytes,
    );
    return isSame && isSound ? journal : undefined;
  } catch {
    // None, or none that can be read: the file is fetched anew.
    return undefined;
  }
}

async function nameOnce(partial: string, place: string): Promise<void> {
  try {
    // Unlike a rename it never takes another file's place.
    await link(partial, place);
    await rm(partial);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw nameTaken(place);
    // Some file systems have no second names.
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS" && code !== "EMLINK")
      throw notWritten(place, error);
    if ((await lstat(place).catch(() => undefined)) !== undefined) throw nameTaken(place);
    await rename(partial, place);
  }
}

function notAFile(path: string): RegistryError {
  return new RegistryError(
    "invalid_input",
    `${path} is a link or a folder, and nothing is written through it. Remove it.`,
  );
}
