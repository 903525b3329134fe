import { join } from "node:path";

import type { Repositories, Transfer } from "@cortex/model-db";

import { JOURNAL_SUFFIX, PARTIAL_SUFFIX } from "../download/partial-file.ts";
import type { ModelsFolder } from "../folders/models-folder.ts";
import { REPAIR_SUFFIX } from "../verify/repair-file.ts";
import { fileOnDisk } from "./file-on-disk.ts";
import { PARTIAL_SUFFIXES, partialFiles, type PartialFile } from "./partial-files.ts";

/**
 * What was fetched in vain: the partial files that transfers and repairs have written, and that no
 * transfer goes on with.
 *
 * @returns with the ids of the models that are being fetched, or may be: their transfer waits, is paused or failed;
 *   and the transfers that only a person lets go on, as far as they have partial files.
 */
export async function orphanedPartials(
  registry: Pick<Repositories, "transfers">,
  folders: readonly ModelsFolder[],
): Promise<{ orphans: PartialFile[]; fetching: ReadonlySet<string>; resting: readonly Transfer[] }> {
  const fetching = new Set<string>();
  const resting = new Set<Transfer>();
  const [wanted, givenUp] = [new Set<string>(), new Set<string>()];
  for await (const transfer of everyTransfer(registry)) {
    const isOver = transfer.finishedAt !== null;
    if (!isOver) fetching.add(transfer.modelId);
    for (const { path, isOurs: isWritten } of transfer.files) {
      for (const suffix of PARTIAL_SUFFIXES) {
        const partial = await fileOnDisk(join(transfer.folder, path) + suffix);
        if (partial === undefined) continue;
        if (!isOver) wanted.add(partial.realPath);
        // One that was there before the transfer is somebody else's.
        else if (isWritten) givenUp.add(partial.realPath);
        if (transfer.state === "paused" || transfer.state === "failed") resting.add(transfer);
      }
    }
  }
  const orphans: PartialFile[] = [];
  for await (const partial of partialFiles(folders.filter(({ isWritable }) => isWritable))) {
    const { realPath } = partial.onDisk;
    if (!wanted.has(realPath) && (givenUp.has(realPath) || (await isOurs(realPath)))) orphans.push(partial);
  }
  return { orphans, fetching, resting: [...resting] };
}

/** Whether a partial file is one of ours by what lies beside it, or by its name. */
async function isOurs(partial: string): Promise<boolean> {
  if (partial.endsWith(`${REPAIR_SUFFIX}${PARTIAL_SUFFIX}`)) return true;
  const place = partial.slice(0, -PARTIAL_SUFFIX.length);
  return partial.endsWith(PARTIAL_SUFFIX) && (await fileOnDisk(`${place}${JOURNAL_SUFFIX}`)) !== undefined;
}

async function* everyTransfer({
  transfers,
}: Pick<Repositories, "transfers">): AsyncGenerator<Transfer, undefined> {
  for (let cursor: string | null = null; ;) {
    const { items, nextCursor } = await transfers.list({ limit: 1000, cursor });
    yield* items;
    if (nextCursor === null) return;
    cursor = nextCursor;
  }
}
