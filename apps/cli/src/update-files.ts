import { formatSize, isRegistryError, toRecord, toVisible } from "@cortex/model-db";
import { checkRevisions, modelFolders, requestUpdate, type RevisionCheck } from "@cortex/model-sources";

import type { UpdateOptions } from "./commands/update.ts";
import { Interrupted } from "./errors.ts";
import { follow } from "./follow.ts";
import { untilInterrupted } from "./interrupt.ts";
import { openHub } from "./open-hub.ts";
import { openForWriting } from "./open.ts";
import { toLine } from "./output/json.ts";
import { toRevisionRecord } from "./output/revision-record.ts";
import { writeNote, writeOut } from "./output/stream.ts";

/**
 * Fetches what is newer at the sources of pulled models in their place, one after the other.
 * @returns 1 where a source could not be asked, or something did not arrive
 */
export async function updateFiles(options: UpdateOptions): Promise<number> {
  const { models, dryRun = false, json = false, quiet = false } = options;
  const signal = untilInterrupted();
  await using hub = await openHub(options);
  await using registry = await openForWriting(options);
  const folders = await modelFolders(process.env, registry.location);
  const names = models.length === 0 ? undefined : models;
  let [found, failed] = [0, 0];
  const fetch = async (check: RevisionCheck): Promise<void> => {
    const requested = await requestUpdate(registry, folders, hub, check, signal);
    if (requested === undefined) return;
    await follow(registry, requested.transfer, { hub, signal }, options);
    const kept =
      requested.keptId === undefined ? "" : `; ${requested.keptId} is what it was, until it is pruned`;
    if (json) writeOut(toLine({ model: toRecord(await registry.models.get(check.model.modelId)) }));
    else if (!quiet) tell(`${check.model.modelId} is up to date${kept}`);
  };
  try {
    for await (const check of checkRevisions(registry, registry.location, hub, names, signal)) {
      const { model, state, why, changedBytes } = check;
      if (state === "unknown") {
        failed += 1;
        tell(`${model.modelId}: ${why}.`);
      }
      if (state !== "outdated") continue;
      found += 1;
      if (json) writeOut(toLine({ update: toRevisionRecord(check) }));
      else if (quiet) writeOut(`${toVisible(model.modelId)}\n`);
      else tell(`${model.modelId}: ${formatSize(changedBytes)} ${dryRun ? "would be" : "are"} fetched`);
      if (dryRun) continue;
      try {
        await fetch(check);
      } catch (error) {
        if (!isRegistryError(error) || signal.aborted) throw error;
        failed += 1;
        tell(`${model.modelId}: ${error.message}`);
      }
    }
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    throw error;
  }
  if (found === 0 && failed === 0 && !json && !quiet) writeNote("Everything is up to date.");
  return failed > 0 ? 1 : 0;
}

function tell(text: string): void {
  writeNote(toVisible(text));
}
