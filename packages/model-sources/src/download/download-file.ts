import { lstat, open } from "node:fs/promises";
import { dirname } from "node:path";
import { setInterval } from "node:timers/promises";

import { isRegistryError, RegistryError } from "@cortex/model-db";

import { freeBytes } from "../folders/choose-folder.ts";
import { makeFolderDurably } from "../folders/durable-folder.ts";
import type { ModelsFolder } from "../folders/models-folder.ts";
import { placeInFolder } from "../folders/place-in-folder.ts";
import { unreachable, type HttpClient } from "../hub/http-client.ts";
import type { RemoteFile } from "../hub/remote-model.ts";
import { ContentHash, type ContentHashes } from "./content-hash.ts";
import { nameTaken, notWritten, wrongBytes } from "./download-failures.ts";
import { fetchGaps } from "./fetch-gaps.ts";
import { FileWriter } from "./file-writer.ts";
import { PartialFile, discardPartial } from "./partial-file.ts";
import { Pieces } from "./pieces.ts";
import { RangeFetcher, RangesIgnored } from "./range-fetcher.ts";
import type { RateLimit } from "./rate-limit.ts";
import { PIECES_PER_CONNECTION } from "./write-buffers.ts";

export interface Download {
  readonly file: Omit<RemoteFile, "path">;
  readonly folder: ModelsFolder;
  /** Where the file goes in the folder, `/` between its parts. */
  readonly path: string;
  /** How it is fetched: that of the hub which named the file. */
  readonly http: HttpClient;
  /** How many parts are fetched at a time at most, from 1. @default 4 */
  readonly connections?: number | undefined;
  /** Shared with all that it limits. */
  readonly rateLimit?: RateLimit | undefined;
  /** What arrived until then stays, and another call goes on from there. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** How far a file is. */
export interface DownloadProgress {
  /** Those of earlier tries among them. */
  readonly receivedBytes: number;
  readonly totalBytes: number;
}

export interface DownloadedFile {
  /** Absolute. */
  readonly path: string;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

const CONNECTIONS = 4;
const JOURNAL_MS = 2000;

/**
 * Fetches a file to its place. Until it is whole and its hash is what the hub said, it has another name; what
 * a break, a kill or the signal leaves of it is gone on with. One that is there already is not fetched again.
 * Only one call at a time may fetch to one place.
 *
 * @throws RegistryError `checksum_mismatch` where it changed or arrived wrong, `disk_full`, `name_taken` where
 *   another file has its place, `source_unreachable`, `permission_denied`, and as {@link placeInFolder}; the
 *   signal's reason.
 */
export async function downloadFile(download: Download): Promise<DownloadedFile> {
  const { file, folder, signal } = download;
  signal?.throwIfAborted();
  const place = await placeInFolder(folder, download.path);
  const present = await presentFile(place, file, signal);
  if (present !== undefined) return present;
  await makeFolderDurably(dirname(place)).catch((error: unknown) => {
    throw isRegistryError(error) ? error : notWritten(dirname(place), error);
  });
  // A link that was put on the way meanwhile.
  await placeInFolder(folder, download.path);
  await using partial = await PartialFile.open(place, file);
  const neededBytes = file.sizeBytes - partial.resumedBytes;
  const free = await freeBytes(dirname(place));
  if (free < neededBytes) {
    await partial[Symbol.asyncDispose]();
    if (partial.resumedBytes === 0) await discardPartial(place);
    throw new RegistryError(
      "disk_full",
      `${place} needs ${neededBytes} bytes more, and ${free} are free. Free some space, or choose another folder.`,
    );
  }
  try {
    const sha256 = await fetchVerified(download, partial);
    await partial.finish();
    return { path: place, sha256, sizeBytes: file.sizeBytes };
  } catch (error) {
    if (error instanceof RegistryError && error.code === "checksum_mismatch") await discardPartial(place);
    else await partial.saveProgress().catch(() => undefined);
    throw error;
  }
}

/** Fetches what is missing until the hash is right. @returns the SHA-256. */
async function fetchVerified(download: Download, partial: PartialFile): Promise<string> {
  const { file } = download;
  for (let mayBeOld = partial.resumedBytes > 0; ; mayBeOld = false) {
    const hashes = await fetchHashed(download, partial);
    const [expected, actual] =
      file.sha256 === null ? [file.gitSha1, hashes.gitSha1] : [file.sha256, hashes.sha256];
    if (expected === null || expected === actual) return hashes.sha256;
    // The wrong bytes may be those that an earlier try left.
    if (!mayBeOld) throw wrongBytes(file.url, expected, actual);
    await partial.restart();
  }
}

async function fetchHashed(download: Download, partial: PartialFile): Promise<ContentHashes> {
  const { file, onProgress, signal } = download;
  const withGitSha1 = file.sha256 === null && file.gitSha1 !== null;
  using fetcher = new RangeFetcher(download);
  let connections = download.connections ?? CONNECTIONS;
  let inOnePiece = false;
  for (let tries = 0; ; tries++) {
    const pieces = new Pieces(connections * PIECES_PER_CONNECTION);
    await using hash = new ContentHash(partial.descriptor, file.sizeBytes, { withGitSha1, pieces });
    await using writer = new FileWriter(partial.descriptor, pieces);
    const report = (): void => {
      hash.advance(partial.ranges.prefixEnd);
      onProgress?.({ receivedBytes: partial.ranges.bytes, totalBytes: file.sizeBytes });
    };
    report();
    try {
      await withJournal(partial, () =>
        fetchGaps({
          fetcher,
          partial,
          pieces,
          writer,
          hash,
          connections,
          inOnePiece,
          signal,
          onWritten: report,
        }),
      );
      return await hash.hashes(signal);
    } catch (error) {
      if (!(error instanceof RangesIgnored)) throw error;
      // It can only be had in one piece.
      if (tries > download.http.retries.count) throw unreachable(file.url, error);
      connections = 1;
      inOnePiece = true;
      await partial.restart();
    }
  }
}

async function withJournal(partial: PartialFile, work: () => Promise<void>): Promise<void> {
  const ended = new AbortController();
  const saving = saveRegularly(partial, ended.signal);
  try {
    await work();
  } finally {
    ended.abort();
    await saving;
  }
}

async function saveRegularly(partial: PartialFile, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of setInterval(JOURNAL_MS, undefined, { signal })) await partial.saveProgress();
  } catch {
    // Ended; or it cannot be saved, and a kill would cost what came since.
  }
}

/** The file, where it is in its place already. @throws RegistryError `name_taken` where that is another one. */
async function presentFile(
  place: string,
  file: Download["file"],
  signal: AbortSignal | undefined,
): Promise<DownloadedFile | undefined> {
  const stats = await lstat(place).catch(() => undefined);
  if (stats === undefined) return undefined;
  const isComparable =
    stats.isFile() && stats.size === file.sizeBytes && (file.sha256 ?? file.gitSha1) !== null;
  if (isComparable) {
    await using handle = await open(place, "r");
    await using hash = new ContentHash(handle.fd, file.sizeBytes, { withGitSha1: file.sha256 === null });
    hash.advance(file.sizeBytes);
    const { sha256, gitSha1 } = await hash.hashes(signal);
    if (file.sha256 === null ? file.gitSha1 === gitSha1 : file.sha256 === sha256) {
      await discardPartial(place);
      return { path: place, sha256, sizeBytes: file.sizeBytes };
    }
  }
  throw nameTaken(place);
}
