import { isRegistryError, type FileDigest, type FileDigests } from "@cortex/model-db";

import type { FileStamp } from "./local-file.ts";

/** Where digests of files are kept that took long to read. */
export type DigestKeeper = Pick<FileDigests, "findMany" | "keepMany">;

/**
 * The SHA-256 of files that were read before and are as they were then.
 *
 * @returns by path; nothing to those who may not see it.
 */
export async function knownDigests(
  keeper: DigestKeeper | undefined,
  files: readonly { readonly path: string; readonly stamp: FileStamp }[],
): Promise<Map<string, string>> {
  const known = new Map<string, string>();
  const kept = await orNothing(keeper?.findMany(files.map(({ path }) => path)));
  for (const { path, stamp } of files) {
    const digest = kept?.get(path);
    if (digest?.sha256 != null && isOf(digest, stamp)) known.set(path, digest.sha256);
  }
  return known;
}

/** Keeps what was found of files that are not recorded, so that they are not read again only to be recognised. */
export async function keepDigests(
  keeper: DigestKeeper | undefined,
  files: readonly { readonly path: string; readonly stamp: FileStamp; readonly sha256: string }[],
): Promise<void> {
  const kept = await orNothing(keeper?.findMany(files.map(({ path }) => path)));
  const digests = files.map(({ path, stamp, sha256 }): FileDigest => {
    const before = kept?.get(path);
    const sampleSha256 = before !== undefined && isOf(before, stamp) ? before.sampleSha256 : null;
    const { sizeBytes, modifiedAt } = stamp;
    return { path, sizeBytes, modifiedAt, inode: inodeOf(stamp), sampleSha256, sha256 };
  });
  await orNothing(keeper?.keepMany(digests));
}

function isOf(digest: FileDigest, stamp: FileStamp): boolean {
  const { sizeBytes, modifiedAt, inode } = digest;
  return sizeBytes === stamp.sizeBytes && modifiedAt === stamp.modifiedAt && inode === inodeOf(stamp);
}

function inodeOf({ identity }: FileStamp): string {
  return identity.slice(identity.indexOf(":") + 1);
}

// It is about the whole machine, and not for everybody; who may not see it reads the files.
async function orNothing<T>(asked: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isRegistryError(error) && error.code === "permission_denied") return undefined;
    throw error;
  }
}
