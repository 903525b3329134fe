import { isRegistryError, type ModelUpdate, type Registry, type Repositories } from "@cortex/model-db";

import { applyWithin } from "../apply.ts";
import { resolveLegacyPath } from "../legacy/config-path.ts";
import { Disk } from "../legacy/disk.ts";
import { readModelFacts } from "../legacy/model-facts.ts";
import { ModelListLines } from "../legacy/model-list.ts";
import { usualConfigPaths } from "../legacy/usual-config-paths.ts";
import type { ReportEntry } from "../report-entry.ts";
import { SourceIndex } from "../source-index.ts";
import { UNKNOWN_WORD } from "./list-row.ts";
import type { NumberedLine } from "./list-text.ts";
import {
  mergeLists,
  type Conflict,
  type Deletion,
  type Merge,
  type MergeInput,
  type Update,
} from "./merge-lists.ts";
import { readRegisteredModels } from "./registered-models.ts";

/** The name under which changes of old programs stand in the history. */
export const LEGACY_ACTOR = "legacy";

/** Where the lines are from. */
export interface Origin {
  readonly list: string;
  readonly dataFolder: string;
  /** Unix milliseconds. */
  readonly modifiedAt: number;
}

/** What a merge did to the registry. */
export interface AppliedMerge {
  readonly merge: Merge;
  readonly deleted: readonly string[];
  readonly updated: readonly Update[];
  /** What became of each line that was new. */
  readonly entries: readonly ReportEntry[];
  readonly conflicts: readonly Conflict[];
}

/**
 * Merges a foreign write into the registry, with what it holds at that moment: all or nothing.
 *
 * @param choose of the lines that are new, those that are taken over already.
 * @param beforeDone is told of all of it, and of the latest event before, when nothing but the end of the
 * transaction is left.
 * @throws RegistryError as a transaction does.
 */
export async function applyMerge(
  registry: Registry,
  input: Omit<MergeInput, "ours">,
  choose: (additions: readonly NumberedLine[]) => readonly NumberedLine[],
  origin: Origin,
  beforeDone: (applied: AppliedMerge, latestEventId: number) => void,
): Promise<AppliedMerge> {
  return registry.transaction(
    async (repositories) => {
      const latestEventId = await repositories.history.latestEventId();
      const whole = mergeLists({ ...input, ours: await readRegisteredModels(repositories.models) });
      const merge = { ...whole, additions: choose(whole.additions) };
      const conflicts = [...merge.conflicts];
      const deleted: string[] = [];
      for (const deletion of merge.deletions) {
        const refused = await applyDeletion(repositories, deletion);
        if (refused === undefined) deleted.push(deletion.modelId);
        else conflicts.push(refused);
      }
      const updated: Update[] = [];
      // An alias that is passed on is free once its former model has given it up.
      let waiting: readonly Update[] = merge.updates;
      for (const isLast of [false, true]) {
        const refused: Update[] = [];
        for (const update of waiting) {
          const why = await applyUpdate(repositories, update, origin);
          if (why === undefined) updated.push(update);
          else if (isLast) conflicts.push({ modelId: update.modelId, why });
          else refused.push(update);
        }
        waiting = refused;
      }
      const entries = await importLines(repositories, merge, origin);
      const applied = { merge, deleted, updated, entries, conflicts };
      beforeDone(applied, latestEventId);
      return applied;
    },
    { actor: LEGACY_ACTOR },
  );
}

async function applyDeletion(
  { models, history }: Repositories,
  { modelId, model, base }: Deletion,
): Promise<Conflict | undefined> {
  // One that was deleted and registered again is not the one that went; one that is from the file is.
  const { items } = await history.list({ modelId: model.modelId, kind: "created", limit: 1 });
  const [created] = items;
  if (created !== undefined && created.eventId > base.eventId && created.actor !== LEGACY_ACTOR) {
    return { modelId, why: "it was registered anew, and deleted from the file" };
  }
  try {
    await models.delete(model.modelId);
    return undefined;
  } catch (error) {
    if (!isRegistryError(error) || error.code !== "model_running") throw error;
    return { modelId, why: "it is running, and was deleted from the file" };
  }
}

function known(word: string): string | null {
  return word === UNKNOWN_WORD ? null : word;
}

// Why it was refused, as the end of a sentence.
async function applyUpdate(
  { models }: Repositories,
  { model, fields }: Update,
  { dataFolder }: Origin,
): Promise<string | undefined> {
  const update: ModelUpdate = {};
  if (fields.author !== undefined) update.authorRepo = known(fields.author);
  if (fields.branch !== undefined) update.branch = known(fields.branch);
  if (fields.alias !== undefined) update.alias = fields.alias;
  if (fields.configPath !== undefined) {
    const written = known(fields.configPath);
    const disk = new Disk();
    update.configPath = written === null ? null : resolveLegacyPath(written, dataFolder, disk).path;
    const facts = readModelFacts(written, model.sourceType === "remote", dataFolder, disk);
    const isWhole =
      facts.hasConfig && facts.weightsExpected > 0 && facts.weightsFound === facts.weightsExpected;
    if (isWhole) update.availability = "present";
    if (isWhole && facts.sizeBytes > 0) update.sizeBytes = facts.sizeBytes;
  }
  try {
    await models.update(model.modelId, update);
    return undefined;
  } catch (error) {
    if (!isRegistryError(error) || !["name_taken", "invalid_input"].includes(error.code)) throw error;
    return `what the file says of it was refused: ${error.message}`;
  }
}

async function importLines(
  repositories: Repositories,
  { additions }: Merge,
  { list, dataFolder, modifiedAt }: Origin,
): Promise<ReportEntry[]> {
  if (additions.length === 0) return [];
  const disk = new Disk();
  const lines = new ModelListLines(list, modifiedAt, additions, {
    isFile: (file) => resolveLegacyPath(file, dataFolder, disk).exists,
    usualConfigPaths: (modelId, author, branch) => usualConfigPaths(dataFolder, modelId, author, branch),
  });
  const entries: ReportEntry[] = [];
  const source = { index: new SourceIndex([lines]), dataFolder, disk };
  await applyWithin(source, repositories, { onEntry: (entry) => entries.push(entry) });
  return entries;
}
