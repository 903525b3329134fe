import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

import type { TransferFile } from "@cortex/model-db";

/** What a file holds, by the hashes that hubs know files by. */
export interface FileContent {
  readonly sizeBytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Git's id of the content: 40 lower-case hexadecimal digits. */
  readonly gitSha1: string;
}

/** Reads a file. @returns `undefined` where there is none. */
export async function contentOf(path: string, signal: AbortSignal): Promise<FileContent | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  const sizeBytes = found.size;
  const sha256 = createHash("sha256");
  const sha1 = createHash("sha1").update(`blob ${sizeBytes}\0`);
  for await (const chunk of createReadStream(path, { signal, highWaterMark: 1024 * 1024 })) {
    sha256.update(chunk as Buffer);
    sha1.update(chunk as Buffer);
  }
  return { sizeBytes, sha256: sha256.digest("hex"), gitSha1: sha1.digest("hex") };
}

/** Whether content is what a source says that a file is. */
export function isAsSaid(
  { sizeBytes, sha256, gitSha1 }: FileContent,
  said: Pick<TransferFile, "sizeBytes" | "sha256" | "gitSha1">,
): boolean {
  if (said.sizeBytes !== null && said.sizeBytes !== sizeBytes) return false;
  if (said.sha256 !== null) return said.sha256 === sha256;
  return said.gitSha1 !== null && said.gitSha1 === gitSha1;
}
