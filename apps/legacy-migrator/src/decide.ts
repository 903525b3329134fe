import {
  checkNewModel,
  isRegistryError,
  type Model,
  type ModelFile,
  type Repositories,
} from "@cortex/model-db";

import { nameProblem } from "./entry-problem.ts";
import { canonicalId, twinId } from "./legacy/canonical-id.ts";
import { resolveLegacyPath } from "./legacy/config-path.ts";
import type { Disk } from "./legacy/disk.ts";
import type { LegacyEntry, LegacyRefusal, Problem } from "./legacy/legacy-entry.ts";
import { readModelFacts } from "./legacy/model-facts.ts";
import { sourceTypeOf } from "./legacy/source-type.ts";
import { mergeEntries, type MergedEntry } from "./merge-entries.ts";
import { planModel, type Plan } from "./plan.ts";
import type { IndexedEntry, SourceIndex } from "./source-index.ts";
import { toNewModel, type WantedModel } from "./to-new-model.ts";

/** The old stores, read once, and the disk that they speak of. */
export interface Source {
  readonly index: SourceIndex;
  readonly dataFolder: string;
  readonly disk: Disk;
}

/** What to do about one model, and the records that it comes from. */
export interface Decision {
  readonly kind: "decision";
  readonly number: number;
  readonly leader: LegacyEntry;
  readonly followers: readonly LegacyEntry[];
  readonly merged: MergedEntry;
  readonly wanted: WantedModel;
  /** What the registry knows of the model's files, where the old store has some. */
  readonly existingFiles: readonly ModelFile[];
  readonly plan: Plan;
}

const BATCH_MODELS = 256;
const MAX_NAMES = 1000;
// A line that is repeated a million times is still one model; these many are looked at closely.
const MAX_FOLLOWERS = 200;

type Reader = Pick<Repositories, "models" | "files" | "history">;

/**
 * Decides about every record of the old stores, in their order and in batches, with the registry as it
 * is when a batch is asked for.
 *
 * @param registry left out where there is none yet or nothing in it.
 */
export async function* decide(
  source: Source,
  registry: Reader | undefined,
): AsyncGenerator<readonly (Decision | LegacyRefusal)[]> {
  let batch: (IndexedEntry | LegacyRefusal)[] = [];
  for (const item of source.index.scan()) {
    // Records that are merged into another one come with it.
    if (item.kind === "entry" && source.index.leaderOf(item.number) !== item.number) continue;
    batch.push(item);
    if (batch.length < BATCH_MODELS) continue;
    yield await decideBatch(source, registry, batch);
    batch = [];
  }
  if (batch.length > 0) yield await decideBatch(source, registry, batch);
}

/** The further records of a model, beyond those that a decision holds. */
export function* moreFollowers(source: Source, number: number): Generator<LegacyEntry> {
  for (const follower of source.index.followersOf(number).slice(MAX_FOLLOWERS))
    yield source.index.entryAt(follower);
}

async function decideBatch(
  source: Source,
  registry: Reader | undefined,
  batch: readonly (IndexedEntry | LegacyRefusal)[],
): Promise<(Decision | LegacyRefusal)[]> {
  const drafts = batch.map((item) => (item.kind === "refusal" ? item : draft(source, item)));
  const models = await readModels(
    registry,
    drafts.flatMap((item) => (item.kind === "draft" ? item.names : [])),
  );
  const decided: (Decision | LegacyRefusal)[] = [];
  for (const item of drafts) {
    if (item.kind === "refusal") {
      decided.push(item);
      continue;
    }
    const { number, leader, followers, merged, wanted } = item;
    const existing = findExisting(models, wanted.model.modelId);
    const hasFiles = (wanted.model.files?.length ?? 0) > 0;
    const existingFiles =
      existing === undefined || registry === undefined || !hasFiles
        ? []
        : await registry.files.list(existing.modelId);
    const ownerOf = (name: string): string | undefined => {
      const model = models.get(name);
      if (model !== undefined && model !== existing && model.modelId !== existing?.modelId)
        return model.modelId;
      return source.index.ownerOf(name, number);
    };
    const problem = isPlain(leader, wanted) ? undefined : checked(wanted);
    const plan: Plan =
      problem === undefined
        ? planModel({ merged, wanted, existing, existingFiles, ownerOf })
        : { kind: "refuse", problem };
    const known = plan.kind === "create" ? await withDeletion(plan, registry) : plan;
    decided.push({ kind: "decision", number, leader, followers, merged, wanted, existingFiles, plan: known });
  }
  return decided;
}

/** Whether models were ever deleted from a registry. */
export async function hasDeletions(registry: Reader): Promise<boolean> {
  return (await registry.history.list({ kind: "deleted", limit: 1 })).items.length > 0;
}

// Somebody may have deleted it on purpose: said, because an old store cannot know.
async function withDeletion(
  plan: Extract<Plan, { kind: "create" }>,
  registry: Reader | undefined,
): Promise<Plan> {
  if (registry === undefined) return plan;
  const { modelId } = plan.model;
  const [deletion] = (await registry.history.list({ modelId, kind: "deleted", limit: 1 })).items;
  if (deletion === undefined) return plan;
  const text = `It was deleted from the registry on ${new Date(deletion.at).toISOString().slice(0, 10)}; the old store still has it.`;
  return { ...plan, notes: [...plan.notes, { code: "was_deleted", text }] };
}

type Draft = Omit<Decision, "kind" | "plan" | "existingFiles"> & { kind: "draft"; names: string[] };

function draft({ index, dataFolder, disk }: Source, { number, entry }: IndexedEntry): Draft {
  const followers = index
    .followersOf(number)
    .slice(0, MAX_FOLLOWERS)
    .map((follower) => index.entryAt(follower));
  const merged: MergedEntry =
    followers.length === 0
      ? { entry, aliases: [], merges: [], leftovers: [] }
      : mergeEntries(entry, followers, (a, b) => {
          const [one, other] = [
            resolveLegacyPath(a, dataFolder, disk),
            resolveLegacyPath(b, dataFolder, disk),
          ];
          return one.path === other.path;
        });
  const isRemote = sourceTypeOf(merged.entry) === "remote";
  const facts = readModelFacts(merged.entry.configPath, isRemote, dataFolder, disk);
  const { modifiedAt } = index.storeOf(number);
  const wanted = toNewModel(merged.entry, facts, merged.aliases, merged.leftovers, modifiedAt);
  const names = [entry.modelId, ...merged.aliases];
  const twin = twinId(entry.modelId);
  if (twin !== undefined) names.push(twin);
  if (merged.entry.alias !== null && merged.entry.alias !== entry.modelId) names.push(merged.entry.alias);
  return { kind: "draft", number, leader: entry, followers, merged, wanted, names };
}

async function readModels(
  registry: Reader | undefined,
  names: readonly string[],
): Promise<Map<string, Model>> {
  const found = new Map<string, Model>();
  if (registry === undefined) return found;
  const askable = [...new Set(names)].filter((name) => nameProblem(name) === undefined);
  for (let from = 0; from < askable.length; from += MAX_NAMES) {
    const models = await registry.models.resolveMany(askable.slice(from, from + MAX_NAMES));
    for (const [name, model] of models) found.set(name, model);
  }
  return found;
}

// The same model: by its id, by the other spelling of it, or where an earlier run merged it.
function findExisting(models: ReadonlyMap<string, Model>, modelId: string): Model | undefined {
  const canonical = canonicalId(modelId);
  for (const name of [modelId, twinId(modelId)]) {
    const model = name === undefined ? undefined : models.get(name);
    if (model !== undefined && canonicalId(model.modelId) === canonical) return model;
  }
  return undefined;
}

// A line of text of which nothing but the line itself is known: its fields were looked at already.
function isPlain({ store }: LegacyEntry, { model }: WantedModel): boolean {
  return (
    store === "model.list" && model.files?.length === 0 && Object.keys(model.metadata ?? {}).length === 1
  );
}

// A model that a registry would refuse must not fail all the others.
function checked(wanted: WantedModel): Problem | undefined {
  try {
    checkNewModel({ ...wanted.model, alias: null, aliases: [] });
    return undefined;
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    return {
      code: "not_accepted",
      why: error.message,
      remedy: "Correct it in the old store and run again; or add the model by hand.",
    };
  }
}
