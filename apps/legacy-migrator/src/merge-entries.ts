import type { JsonObject } from "@cortex/model-db";

import type { LegacyEntry } from "./legacy/legacy-entry.ts";

/** One field of a model on which two records, or a record and the registry, do not say the same. */
export interface FieldMerge {
  /** In snake_case, as in the registry. */
  readonly field: string;
  /** What holds now, and where it is from: `registry`, `cortex.db row 3`, `model.list line 12`. */
  readonly value: unknown;
  readonly from: string;
  /** What was there instead, and where; left out where there was nothing. */
  readonly other?: unknown;
  readonly other_from?: string;
}

/** Several records of one model, as one. */
export interface MergedEntry {
  readonly entry: LegacyEntry;
  /** Further names by which the old program knew it. */
  readonly aliases: readonly string[];
  /** What each of the other records added, and where it differed, in their order. */
  readonly merges: readonly (readonly FieldMerge[])[];
  /** What the other records had that the model does not show; kept in its metadata. */
  readonly leftovers: readonly JsonObject[];
}

const FIELDS = [
  ["author_repo", "author"],
  ["branch", "branch"],
  ["config_path", "configPath"],
  ["engine", "engine"],
  ["model_format", "modelFormat"],
  ["model_source", "modelSource"],
  ["status", "status"],
  ["metadata", "metadata"],
] as const;

/**
 * Makes one record of several of the same model. The first one wins field by field; the others fill
 * what it leaves empty, and their ids and aliases go on meaning the model.
 *
 * @param isSamePath whether two spellings of a path are the same file.
 */
export function mergeEntries(
  leader: LegacyEntry,
  others: Iterable<LegacyEntry>,
  isSamePath: (a: string, b: string) => boolean,
): MergedEntry {
  const merged: Record<string, unknown> = { ...leader };
  // An alias that only repeats the id says nothing: another one is better.
  const hasAlias = (alias: string | null): alias is string =>
    alias !== null && alias !== "" && alias !== leader.modelId;
  const aliases = new Set<string>();
  const merges: FieldMerge[][] = [];
  const leftovers: JsonObject[] = [];
  for (const other of others) {
    const changes: FieldMerge[] = [];
    const leftover: JsonObject = {};
    for (const [field, property] of FIELDS) {
      const theirs = other[property];
      const ours = merged[property] as string | null;
      if (theirs === null || theirs === "" || theirs === ours) continue;
      if (ours === null || ours === "") {
        merged[property] = theirs;
        changes.push({ field, value: theirs, from: nameOf(other) });
        continue;
      }
      if (property === "configPath" && isSamePath(ours, theirs)) continue;
      // READY and downloaded say the same in the words of their stores.
      if (property === "status" && other.store !== leader.store && theirs === "READY") continue;
      changes.push({ field, value: ours, from: nameOf(leader), other: theirs, other_from: nameOf(other) });
      leftover[field] = theirs;
    }
    if (other.modelId !== leader.modelId) {
      aliases.add(other.modelId);
      changes.push({ field: "aliases", value: other.modelId, from: nameOf(other) });
    }
    if (hasAlias(other.alias) && other.alias !== merged["alias"] && other.alias !== other.modelId) {
      if (hasAlias(merged["alias"] as string | null)) {
        aliases.add(other.alias);
        changes.push({ field: "aliases", value: other.alias, from: nameOf(other) });
      } else {
        merged["alias"] = other.alias;
        changes.push({ field: "alias", value: other.alias, from: nameOf(other) });
      }
    }
    merges.push(changes);
    if (Object.keys(leftover).length > 0) leftovers.push({ store: other.store, ...leftover });
  }
  return { entry: merged as unknown as LegacyEntry, aliases: [...aliases], merges, leftovers };
}

/** A record's place, for people: `model.list line 12`, `cortex.db row 3`. */
export function nameOf({ store, line }: Pick<LegacyEntry, "store" | "line">): string {
  return `${store} ${store === "model.list" ? "line" : "row"} ${line}`;
}
