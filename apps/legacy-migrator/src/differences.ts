import { isDeepStrictEqual } from "node:util";

import type { JsonObject, JsonValue, Model, NewModel } from "@cortex/model-db";

import type { FieldMerge } from "./merge-entries.ts";

/** The fields that may be empty in the registry and known to an old store, and their names in data. */
export const FILLABLE_FIELDS = [
  ["author_repo", "authorRepo"],
  ["branch", "branch"],
  ["config_path", "configPath"],
  ["engine", "engine"],
  ["format", "format"],
  ["architecture", "architecture"],
  ["quantization", "quantization"],
  ["parameter_count", "parameterCount"],
  ["context_length", "contextLength"],
  ["size_bytes", "sizeBytes"],
] as const;

/** The fields of a model that an old store can say something about, and their names in data. */
export const MIGRATED_FIELDS = [
  ["source_type", "sourceType"],
  ["alias", "alias"],
  ["availability", "availability"],
  ...FILLABLE_FIELDS,
] as const satisfies readonly (readonly [string, keyof Model & keyof NewModel])[];

/**
 * Where the registry and an old store do not say the same. What the store leaves open is no difference.
 *
 * @param from the place of the old record, for people.
 */
export function differencesOf(model: Model, wanted: NewModel, from: string): FieldMerge[] {
  const found: FieldMerge[] = [];
  const add = (field: string, value: unknown, other: unknown): void => {
    found.push({ field, value, from: "registry", other, other_from: from });
  };
  for (const [field, property] of MIGRATED_FIELDS) {
    const other = wanted[property] ?? null;
    if (other !== null && other !== model[property]) add(field, model[property], other);
  }
  for (const part of ["legacy", "model_yml"] as const) {
    const [ours, theirs] = [objectAt(model.metadata, part), objectAt(wanted.metadata, part)];
    for (const [key, other] of Object.entries(theirs)) {
      const value = ours[key];
      if (!isSame(value, other)) add(`metadata.${part}.${key}`, value ?? null, other);
    }
  }
  return found;
}

/** An object inside of an object; an empty one where there is none. */
export function objectAt(object: JsonObject | undefined, key: string): JsonObject {
  const value = object?.[key];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

/** Whether two values are the same data; a key that is null is as good as none. */
export function isSame(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === b || isDeepStrictEqual(withoutNulls(a ?? null), withoutNulls(b ?? null));
}

function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNulls(item)]));
}
