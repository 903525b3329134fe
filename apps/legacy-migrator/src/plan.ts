import type { JsonObject, Model, ModelFile, ModelUpdate, NewModel, NewModelFile } from "@cortex/model-db";

import { differencesOf, FILLABLE_FIELDS, objectAt } from "./differences.ts";
import { nameProblem } from "./entry-problem.ts";
import type { LegacyNote, Problem } from "./legacy/legacy-entry.ts";
import { nameOf, type FieldMerge, type MergedEntry } from "./merge-entries.ts";
import type { WantedModel } from "./to-new-model.ts";

/** All that a decision about one model depends on. */
export interface Situation {
  readonly merged: MergedEntry;
  readonly wanted: WantedModel;
  /** The same model in the registry, and its files there. */
  readonly existing: Model | undefined;
  readonly existingFiles: readonly ModelFile[];
  /** The id of another model that a name means, in the registry or in the old stores. */
  readonly ownerOf: (name: string) => string | undefined;
}

/** What is to be done about one model. */
export type Plan =
  | {
      readonly kind: "create";
      readonly model: NewModel;
      readonly clash: Clash | undefined;
      readonly notes: Notes;
    }
  | {
      readonly kind: "keep";
      readonly model: Model;
      readonly differences: readonly FieldMerge[];
      readonly notes: Notes;
    }
  | {
      readonly kind: "update";
      readonly model: Model;
      readonly update: ModelUpdate;
      readonly files: readonly NewModelFile[];
      readonly fields: readonly FieldMerge[];
      readonly notes: Notes;
    }
  | { readonly kind: "refuse"; readonly problem: Problem };

/** An alias that cannot be the model's: it needs another one. */
interface Clash {
  readonly alias: string;
  readonly why: string;
}

type Notes = readonly LegacyNote[];

/**
 * Decides what is to be done about one model of the old stores. Reads nothing and changes nothing.
 *
 * What the registry has stays: an old record only fills what is empty there, adds names that mean
 * nothing yet, and says when files that were missing are there.
 */
export function planModel(situation: Situation): Plan {
  return situation.existing === undefined ? planNew(situation) : planKnown(situation, situation.existing);
}

function planNew({ merged, wanted, ownerOf }: Situation): Plan {
  const { modelId, alias = null } = wanted.model;
  const idOwner = ownerOf(modelId);
  if (idOwner !== undefined) return { kind: "refuse", problem: idTaken(modelId, idOwner) };
  const notes = [...wanted.notes];
  const aliases = freeNames(merged.aliases, ownerOf, notes);
  const clash = alias === null || alias === modelId ? undefined : clashOf(alias, ownerOf);
  return { kind: "create", model: { ...wanted.model, aliases }, clash, notes };
}

function planKnown({ merged, wanted, existingFiles, ownerOf }: Situation, model: Model): Plan {
  const notes = [...wanted.notes];
  const from = nameOf(merged.entry);
  const { update, filled } = gaps(model, wanted.model, from);
  const alias = wanted.model.alias ?? null;
  const names = new Set([model.modelId, model.alias, ...model.aliases]);
  const wantedNames = [wanted.model.modelId, ...merged.aliases];
  if (alias !== null && alias !== model.modelId && !names.has(alias)) {
    const clash = clashOf(alias, ownerOf);
    if (model.alias === null && clash === undefined) {
      update.alias = alias;
      names.add(alias);
      filled.push({ field: "alias", value: alias, from });
    } else if (clash === undefined && !("legacy" in model.metadata)) {
      // Known to the registry from elsewhere: the name people typed before goes on working.
      wantedNames.push(alias);
    }
  }
  const added = freeNames(
    wantedNames.filter((name) => !names.has(name)),
    ownerOf,
    notes,
  );
  if (added.length > 0) {
    update.aliases = [...model.aliases, ...added];
    for (const name of added) filled.push({ field: "aliases", value: name, from });
  }
  const paths = new Set(existingFiles.map(({ path }) => path));
  const files = (wanted.model.files ?? []).filter(({ path }) => !paths.has(path));
  for (const { path } of files) filled.push({ field: "files", value: path, from });

  const settled = new Set(filled.map(({ field }) => field));
  const differences = differencesOf(model, wanted.model, from).filter(({ field }) => !settled.has(field));
  if (filled.length === 0) return { kind: "keep", model, differences, notes };
  return { kind: "update", model, update, files, fields: [...filled, ...differences], notes };
}

// What is empty in the registry and known to the old store.
function gaps(model: Model, wanted: NewModel, from: string): { update: ModelUpdate; filled: FieldMerge[] } {
  const update: ModelUpdate = {};
  const filled: FieldMerge[] = [];
  for (const [field, property] of FILLABLE_FIELDS) {
    const value = wanted[property] ?? null;
    if (value === null || model[property] !== null) continue;
    Object.assign(update, { [property]: value });
    filled.push({ field, value, from });
  }
  // Files that came since: a fact that can be seen, and newer than what the registry says.
  if (
    wanted.availability === "present" &&
    ["missing", "partial", "downloadable"].includes(model.availability)
  ) {
    update.availability = "present";
    const other = { other: model.availability, other_from: "registry" };
    filled.push({ field: "availability", value: "present", from: `disk, ${from}`, ...other });
  }
  const metadata: JsonObject = {};
  for (const part of ["legacy", "model_yml"] as const) {
    const [ours, theirs] = [objectAt(model.metadata, part), objectAt(wanted.metadata, part)];
    const missing = Object.entries(theirs).filter(([key, value]) => value !== null && !(key in ours));
    if (missing.length === 0) continue;
    metadata[part] = Object.fromEntries(missing);
    for (const [key, value] of missing) filled.push({ field: `metadata.${part}.${key}`, value, from });
  }
  if (Object.keys(metadata).length > 0) update.metadata = metadata;
  return { update, filled };
}

function clashOf(alias: string, ownerOf: Situation["ownerOf"]): Clash | undefined {
  const problem = nameProblem(alias);
  if (problem !== undefined) return { alias, why: `the alias ${problem}` };
  const owner = ownerOf(alias);
  return owner === undefined ? undefined : { alias, why: `it means ${owner}` };
}

function freeNames(names: readonly string[], ownerOf: Situation["ownerOf"], notes: LegacyNote[]): string[] {
  return names.filter((name) => {
    const clash = clashOf(name, ownerOf);
    if (clash !== undefined) {
      notes.push({
        code: "name_left",
        text: `The name "${name}" is not this model's any more: ${clash.why}.`,
      });
    }
    return clash === undefined;
  });
}

function idTaken(modelId: string, owner: string): Problem {
  return {
    code: "id_taken",
    why: `In the registry, "${modelId}" is an alias of ${owner}.`,
    remedy: `Take the alias away from that model (cortex alias) and run again.`,
  };
}
