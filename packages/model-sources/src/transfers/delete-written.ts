import { lstat, rm } from "node:fs/promises";
import { dirname } from "node:path";

import type { Registry, Repositories, Transfer } from "@cortex/model-db";

import { discardPartial, PARTIAL_SUFFIX } from "../download/partial-file.ts";
import { placeInFolder } from "../folders/place-in-folder.ts";
import { removeEmptyFolders } from "../folders/remove-empty-folders.ts";

/** What the next state of a file is called while the one before it is still in use. */
export const NEXT_SUFFIX = ".next";

/**
 * Deletes what a transfer has written: what is not whole yet, and files in whose place nothing was when it came to
 * them. What another transfer or a model has by now stays, and so does what somebody else has put there. Folders that
 * are empty then go too.
 */
export async function deleteWritten(registry: Registry, transfer: Transfer): Promise<void> {
  const folder = { path: transfer.folder, isWritable: true };
  for (const file of transfer.files) {
    const place = await placeInFolder(folder, file.path);
    // So that nobody begins to want it meanwhile.
    await registry.transaction(async (repositories) => {
      if (await isWantedElsewhere(repositories, transfer, file.path)) return;
      const isRecorded = (await repositories.files.listAt([place])).length > 0;
      if (file.isOurs) {
        if (!isRecorded && !(await isUnfinished(place))) await rm(place, { force: true });
        await discardPartial(place);
      } else if (isRecorded) {
        await discardPartial(`${place}${NEXT_SUFFIX}`);
        await rm(`${place}${NEXT_SUFFIX}`, { force: true });
      }
    });
    await removeEmptyFolders(transfer.folder, dirname(place));
  }
}

/** Whether a file is not whole yet: what has its place then is another one, that somebody else has put there. */
export async function isUnfinished(place: string): Promise<boolean> {
  const [partial, there] = await Promise.all(
    [`${place}${PARTIAL_SUFFIX}`, place].map((path) => lstat(path, { bigint: true }).catch(() => undefined)),
  );
  // A file that just got its name has both for a moment.
  return partial !== undefined && (partial.ino !== there?.ino || partial.dev !== there.dev);
}

async function isWantedElsewhere(
  { transfers }: Repositories,
  { transferId, folder }: Transfer,
  path: string,
): Promise<boolean> {
  const state = ["queued", "running", "paused", "failed"] as const;
  for (let cursor: string | null = null; ;) {
    const { items, nextCursor } = await transfers.list({ state, limit: 1000, cursor });
    const isWanted = items.some(
      (other) =>
        other.transferId !== transferId &&
        other.folder === folder &&
        other.files.some((file) => file.path === path),
    );
    if (isWanted || nextCursor === null) return isWanted;
    cursor = nextCursor;
  }
}
