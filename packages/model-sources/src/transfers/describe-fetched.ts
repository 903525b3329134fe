import type { FetchedModel, Registry, Transfer, TransferFile } from "@cortex/model-db";

import { quantizationIn } from "../reference/quantization-in.ts";
import { toSourceMetadata } from "./pulled-from.ts";

/** A file that was fetched, is in its place and was verified. */
export interface FetchedFile {
  readonly file: TransferFile;
  /** Absolute. */
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** What becomes of a model's record when its files are here. */
export async function describeFetched(
  _registry: Registry,
  transfer: Transfer,
  fetched: readonly FetchedFile[],
): Promise<FetchedModel> {
  const verifiedAt = Date.now();
  const first = fetched.find(({ file }) => file.role === "weights")!;
  return {
    authorRepo: transfer.repository?.split("/")[0] ?? null,
    branch: transfer.branch,
    sizeBytes: fetched.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    quantization: quantizationIn(first.file.path),
    metadata: toSourceMetadata(transfer),
    files: fetched.map(({ file, path, sha256, sizeBytes }) => ({
      path,
      role: file.role,
      sha256,
      sizeBytes,
      verifiedAt,
      source: file.url,
    })),
  };
}
