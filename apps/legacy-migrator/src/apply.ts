import { setImmediate } from "node:timers/promises";

import type { JsonObject, NewModel, Registry, Repositories } from "@cortex/model-db";

import { decide, hasDeletions, moreFollowers, type Decision, type Source } from "./decide.ts";
import { objectAt } from "./differences.ts";
import { FreeAliases } from "./free-alias.ts";
import { NameTable } from "./name-table.ts";
import { noCounts, type Counts, type ReportEntry } from "./report-entry.ts";
import { reportDecision, reportRefusal, reportRepeated } from "./to-report.ts";

/** The name under which the migration's changes stand in the history. */
export const ACTOR = "cortex-migrate";

// In characters: some 8,000 models of which nothing but a line is known, fewer where there are YAML files.
const PART_LENGTH = 8 * 1024 * 1024;
const MODEL_LENGTH = 1000;

/** What a migration did, or would do. */
export interface Applied {
  readonly counts: Counts;
  /** Whether anything was written. */
  readonly changed: boolean;
  /** By the number of a record: 1 where its model was created. */
  readonly created: Uint8Array;
}

export interface ApplyOptions {
  readonly signal?: AbortSignal;
  /** Is told about every line and row, before the transaction ends. */
  readonly onEntry: (entry: ReportEntry) => void;
  /** Is called now and then with the number of lines and rows that are done. */
  readonly onProgress?: (done: number) => void;
}

/**
 * Writes the models of the old stores into the registry: one transaction, all or nothing. Memory does
 * not grow with the stores beyond the index of their names.
 *
 * @param beforeCommit is called when all is written; what it throws undoes everything.
 * @throws RegistryError as the registry does; the signal's reason.
 */
export async function applyMigration(
  source: Source,
  registry: Registry,
  beforeCommit: () => void,
  options: ApplyOptions,
): Promise<Applied> {
  return registry.transaction(
    async (repositories) => {
      const isEmpty = (await repositories.models.list({ limit: 1 })).items.length === 0;
      const isNew = isEmpty && !(await hasDeletions(repositories));
      const applied = await run(source, isNew ? undefined : repositories, repositories, options);
      beforeCommit();
      return applied;
    },
    { actor: ACTOR },
  );
}

/** Writes the models of old stores into the registry, within a transaction that is under way. */
export async function applyWithin(
  source: Source,
  repositories: Repositories,
  options: ApplyOptions,
): Promise<Applied> {
  return run(source, repositories, repositories, options);
}

/** What {@link applyMigration} would do; writes nothing. */
export async function previewMigration(
  source: Source,
  registry: Registry | undefined,
  options: ApplyOptions,
): Promise<Applied> {
  return run(source, registry, undefined, options);
}

async function run(
  source: Source,
  known: Repositories | Registry | undefined,
  target: Repositories | undefined,
  { signal, onEntry, onProgress }: ApplyOptions,
): Promise<Applied> {
  const counts = noCounts();
  const created = new Uint8Array(source.index.size);
  let changed = false;
  let done = 0;
  const report = (entry: ReportEntry): void => {
    counts[entry.outcome]++;
    done++;
    onEntry(entry);
  };
  const given = new NameTable();
  const aliases = new FreeAliases(async (name) => {
    if (source.index.ownerOf(name, -1) !== undefined || given.mayHave(name)) return true;
    return known !== undefined && (await known.models.findByName(name)) !== undefined;
  });
  async function* newModels(): AsyncGenerator<NewModel, undefined> {
    for await (const batch of decide(source, known)) {
      for (const item of batch) {
        if (item.kind === "refusal") {
          report(reportRefusal(item));
          continue;
        }
        const { plan } = item;
        let alias: string | null | undefined;
        if (plan.kind === "create") {
          if (plan.clash !== undefined) {
            alias = await aliases.find(plan.clash.alias, plan.model.modelId);
            if (alias !== null) given.add(alias, 0);
          }
          yield plan.clash === undefined ? plan.model : renamed(plan.model, plan.clash.alias, alias ?? null);
          created[item.number] = 1;
          changed = true;
        } else if (plan.kind === "update") {
          if (target !== undefined) await update(target, plan);
          changed = true;
        }
        for (const entry of reportDecision(item, alias)) report(entry);
        for (const entry of moreFollowers(source, item.number)) report(reportRepeated(entry, item));
      }
      onProgress?.(done);
      // Lets a signal or a timer through: nothing below waits for the outside.
      await setImmediate();
      signal?.throwIfAborted();
    }
  }
  await createAll(newModels(), known, target);
  return { counts, changed, created };
}

// One call is much faster than many, but nothing else can use the transaction meanwhile: where there are
// models to look up and to change in between, it takes some thousands at a time.
async function createAll(
  models: AsyncGenerator<NewModel, undefined>,
  known: Repositories | Registry | undefined,
  target: Repositories | undefined,
): Promise<void> {
  if (target !== undefined && known === undefined) {
    await target.models.createMany(models);
    return;
  }
  let part: NewModel[] = [];
  let length = 0;
  for await (const model of models) {
    if (target === undefined) continue;
    part.push(model);
    length += MODEL_LENGTH + JSON.stringify(model.metadata).length;
    if (length < PART_LENGTH) continue;
    await target.models.createMany(part);
    part = [];
    length = 0;
  }
  if (target !== undefined && part.length > 0) await target.models.createMany(part);
}

async function update(
  target: Repositories,
  plan: Extract<Decision["plan"], { kind: "update" }>,
): Promise<void> {
  const { modelId } = plan.model;
  if (Object.keys(plan.update).length > 0) await target.models.update(modelId, plan.update);
  for (const file of plan.files) await target.files.put(modelId, file);
}

// The alias that was wanted stays in the metadata.
function renamed(model: NewModel, oldAlias: string, alias: string | null): NewModel {
  const legacy: JsonObject = { ...objectAt(model.metadata, "legacy"), alias: oldAlias.toWellFormed() };
  return { ...model, alias, metadata: { ...model.metadata, legacy } };
}
