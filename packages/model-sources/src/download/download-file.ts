import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { link, mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { RegistryError } from "@cortex/model-db";

import { freeBytes } from "../folders/choose-folder.ts";
import type { ModelsFolder } from "../folders/models-folder.ts";
import { placeInFolder } from "../folders/place-in-folder.ts";
import type { HttpClient } from "../hub/http-client.ts";
import { failureOf } from "../hub/hub-failure.ts";
import type { RemoteFile } from "../hub/remote-model.ts";
import type { RateLimit } from "./rate-limit.ts";

export interface Download {
  readonly file: Omit<RemoteFile, "path">;
  readonly folder: ModelsFolder;
  /** Where the file goes in the folder, `/` between its parts. */
  readonly path: string;
  /** How it is fetched: that of the hub which named the file. */
  readonly http: HttpClient;
  /** How many ranges are fetched at a time, from 1. */
  readonly connections?: number | undefined;
  /** Shared with all that it limits. */
  readonly rateLimit?: RateLimit | undefined;
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

/** What a file is called until it is whole and verified. */
export const PARTIAL_SUFFIX = ".partial";

/**
 * Fetches a file to its place. It has another name until it is whole and what it should be.
 *
 * @throws RegistryError `checksum_mismatch`, `disk_full`, `name_taken` where another file is there,
 *   `source_unreachable`, and what {@link placeInFolder} throws; the signal's reason.
 */
export async function downloadFile(download: Download): Promise<DownloadedFile> {
  const { file, folder, http, signal, rateLimit, onProgress } = download;
  const place = await placeInFolder(folder, download.path);
  if ((await freeBytes(dirname(place))) < file.sizeBytes) {
    throw new RegistryError("disk_full", `${place} needs ${file.sizeBytes} bytes. Free some space.`);
  }
  await mkdir(dirname(place), { recursive: true });
  const partial = `${place}${PARTIAL_SUFFIX}`;
  const handle = await open(
    partial,
    constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW,
  );
  const sha256 = createHash("sha256");
  const sha1 = createHash("sha1").update(`blob ${file.sizeBytes}\0`);
  let receivedBytes = 0;
  try {
    const response = await http.request(file.url, { signal });
    if (response.status !== 200) throw failureOf(file.url, response);
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      await rateLimit?.take(chunk.length, signal);
      await handle.write(chunk, 0, chunk.length, receivedBytes);
      sha256.update(chunk);
      sha1.update(chunk);
      receivedBytes += chunk.length;
      onProgress?.({ receivedBytes, totalBytes: file.sizeBytes });
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  const hash = sha256.digest("hex");
  const isRight =
    receivedBytes === file.sizeBytes &&
    (file.sha256 === null || file.sha256 === hash) &&
    (file.gitSha1 === null || file.gitSha1 === sha1.digest("hex"));
  if (!isRight) {
    await rm(partial, { force: true });
    throw new RegistryError("checksum_mismatch", `${file.url} did not arrive as it should be. Try again.`);
  }
  await link(partial, place);
  await rm(partial);
  return { path: place, sha256: hash, sizeBytes: receivedBytes };
}
