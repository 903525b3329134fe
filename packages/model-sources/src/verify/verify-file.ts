import type { BigIntStats } from "node:fs";
import { stat } from "node:fs/promises";

import type { ModelFile } from "@cortex/model-db";

import { hashFile, type HashOptions } from "./hash-file.ts";

/**
 * What became of a recorded file: `whole`, as it was recorded; `unproven`, of the recorded size, and no digest is
 * recorded; `damaged`; `changed`, written to since it was last found whole; `missing`; `unreadable`, not for us.
 */
export type FileState = "whole" | "unproven" | "damaged" | "changed" | "missing" | "unreadable";

/** What a look at a recorded file has found. */
export interface FileVerdict {
  readonly state: FileState;
  /** What is wrong with it, as the end of a sentence that begins with its path; empty where nothing is. */
  readonly reason: string;
  /** Bytes; `null` where there is none. */
  readonly foundSizeBytes: number | null;
  /** Of what is there; `null` where it was not read. */
  readonly foundSha256: string | null;
}

/** How a recorded file is looked at. */
export interface VerifyFileOptions extends HashOptions {
  /** Also read a file of which no digest is recorded, to find its digest. */
  readonly findDigest?: boolean | undefined;
  /** Gives the digest of a file; reads it, when left out. */
  readonly digestOf?:
    | ((path: string, stats: BigIntStats, options: HashOptions) => Promise<string>)
    | undefined;
  /** What is wrong with a file's header, as the end of a sentence; `undefined` where it can be read. */
  readonly headerFault?: ((path: string) => Promise<string | undefined>) | undefined;
}

/**
 * Compares a file with what is recorded of it: its size first, then its whole content or, where no digest is
 * recorded, its header. Nothing is written.
 *
 * @param path absolute.
 * @throws what the signal was aborted with; what is wrong with the machine and not with the file, such as too many
 *   open files.
 */
export async function verifyFile(
  path: string,
  recorded: ModelFile,
  { findDigest = false, digestOf = digest, headerFault, ...reading }: VerifyFileOptions = {},
): Promise<FileVerdict> {
  let stats: BigIntStats | undefined;
  const verdict = (state: FileState, reason = "", foundSha256: string | null = null): FileVerdict => ({
    state,
    reason,
    foundSizeBytes: stats === undefined ? null : Number(stats.size),
    foundSha256,
  });
  try {
    stats = await stat(path, { bigint: true });
    if (stats.isDirectory()) return verdict("unproven");
    if (!stats.isFile()) return verdict("damaged", "is no file");
    const wrong = writtenSince(stats, recorded) ? "changed" : "damaged";
    if (recorded.sizeBytes !== null && Number(stats.size) !== recorded.sizeBytes)
      return verdict(wrong, `has ${stats.size} bytes and not ${recorded.sizeBytes}`);
    // What is as it was recorded was recorded so, whatever its header says.
    const fault = recorded.sha256 === null ? await headerFault?.(path) : undefined;
    if (fault !== undefined) return verdict(wrong, fault);
    if (recorded.sha256 === null && !findDigest) return verdict("unproven");
    const found = await digestOf(path, stats, reading);
    if (recorded.sha256 === null) return verdict("unproven", "", found);
    if (found === recorded.sha256) return verdict("whole", "", found);
    return verdict(wrong, `has the SHA-256 ${found} and not ${recorded.sha256}`, found);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "not_found") return verdict("missing", "is gone");
    if (code === "ELOOP") return verdict("missing", "is a link that leads nowhere");
    if (code === "EIO") return verdict("damaged", "cannot be read: the disk fails (EIO)");
    if (code === "EACCES" || code === "EPERM" || code === "permission_denied")
      return verdict("unreadable", "cannot be read: you may not");
    throw error;
  }
}

async function digest(path: string, _stats: BigIntStats, options: HashOptions): Promise<string> {
  return (await hashFile(path, options)).sha256;
}

// Bits that rot leave a file's times alone, and programs that write to it do not.
function writtenSince(stats: BigIntStats, { verifiedAt }: ModelFile): boolean {
  return verifiedAt !== null && Number(stats.mtimeMs) > verifiedAt;
}
