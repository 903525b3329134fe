import { RegistryError, toVisible, type FileRole, type ModelFile } from "@cortex/model-db";

import { hashFile } from "../verify/hash-file.ts";
import { knownDigests } from "./known-digests.ts";
import { isSameFile, LocalFile, type FileStamp } from "./local-file.ts";
import type { LocalModel, LocalModelFile } from "./local-model.ts";
import type { ImportRegistry } from "./register-model.ts";

/** A file of which it is known what it holds. */
export interface HashedFile {
  readonly path: string;
  readonly role: FileRole;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** When reading it began, in Unix milliseconds; `null` where that is not known. */
  readonly verifiedAt: number | null;
  /** What the file was when it was read. */
  readonly stamp: FileStamp;
}

/** What is recorded of a file. */
export function toRecorded(
  { path, role, sizeBytes, sha256, verifiedAt }: HashedFile,
  source: string | null = null,
): ModelFile {
  return { path, role, sizeBytes, sha256, verifiedAt, source };
}

export interface HashingOptions {
  readonly within?: readonly string[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
}

/** How far the reading of a model is. */
export interface ImportProgress {
  /** The file that is read. */
  readonly path: string;
  readonly doneBytes: number;
  /** Of all its files. */
  readonly totalBytes: number;
}

// File systems that keep times in steps of two seconds are the coarsest.
const TIME_STEP_MS = 2000;

/**
 * Finds out what the files of a model hold. Those that were compared with their recorded content after they were
 * last written are not read again, nor are those whose digest was kept.
 *
 * @throws RegistryError `io_error` where a file changes meanwhile, as {@link LocalFile.open}; what the signal was
 *   aborted with.
 */
export async function hashModel(
  registry: Pick<ImportRegistry, "files" | "fileDigests">,
  local: LocalModel,
  { within, signal, onProgress }: HashingOptions,
): Promise<HashedFile[]> {
  const recorded = await registry.files.listAt(local.files.map(({ path }) => path));
  const read = await knownDigests(registry.fileDigests, local.files);
  const hashed: HashedFile[] = [];
  let doneBytes = 0;
  for (const file of local.files) {
    const { path, role, stamp } = file;
    const known = recorded.find(
      ({ path: at, sizeBytes, sha256, verifiedAt }) =>
        at === path &&
        sizeBytes === stamp.sizeBytes &&
        sha256 !== null &&
        verifiedAt !== null &&
        verifiedAt > stamp.modifiedAt + TIME_STEP_MS,
    );
    const { sizeBytes } = stamp;
    const sha256 = known?.sha256 ?? read.get(path);
    if (sha256 !== undefined) {
      doneBytes += sizeBytes;
      hashed.push({ path, role, sizeBytes, sha256, verifiedAt: known?.verifiedAt ?? null, stamp });
      continue;
    }
    const verifiedAt = Date.now();
    const content = await contentOf(file, within, signal, (bytes) => {
      doneBytes += bytes;
      onProgress?.({ path, doneBytes, totalBytes: local.sizeBytes });
    });
    hashed.push({ path, role, sizeBytes, sha256: content, verifiedAt, stamp });
  }
  return hashed;
}

async function contentOf(
  { path, stamp }: LocalModelFile,
  within: readonly string[] | undefined,
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): Promise<string> {
  await using file = await LocalFile.open(path, within);
  if (!isSameFile(file.stamp, stamp)) {
    throw new RegistryError("io_error", `${toVisible(path)} changed while it was read. Import it again.`);
  }
  const { sha256 } = await hashFile(file.handle, { signal, onBytes });
  await file.checkUnchanged();
  return sha256;
}
