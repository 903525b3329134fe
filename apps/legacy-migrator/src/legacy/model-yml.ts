import { readFileSync } from "node:fs";

import type { JsonObject, JsonValue } from "@cortex/model-db";
import { isMap, isScalar, parseDocument } from "yaml";

const MAX_BYTES = 1024 * 1024;
const MAX_DEPTH = 24;
// The old program writes them as plain scalars: read as numbers, `007`, `7e3` and `1.10` would change.
const TEXT_KEYS: ReadonlySet<string> = new Set([
  "id",
  "model",
  "name",
  "version",
  "quantization_method",
  "precision",
]);

/** What a `model.yml` says; never a reason to refuse the model. */
export interface ModelYml {
  /** Its fields as data; `undefined` where it cannot be read. */
  readonly fields: JsonObject | undefined;
  /** Why it cannot be read, or can only in part. */
  readonly problem: string | undefined;
}

/**
 * Reads the YAML that the old program keeps beside a model's weights. Ids and names are kept as they
 * are written, also where they look like numbers.
 */
export function readModelYml(path: string, sizeBytes: number): ModelYml {
  if (sizeBytes > MAX_BYTES) {
    return {
      fields: undefined,
      problem: `it has ${sizeBytes.toLocaleString("en")} bytes, too many for a model.yml`,
    };
  }
  try {
    const bytes = readFileSync(path);
    return parseModelYml(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return { fields: undefined, problem: (error as Error).message };
  }
}

/** Reads the text of a `model.yml`. */
export function parseModelYml(text: string): ModelYml {
  try {
    const document = parseDocument(text, { logLevel: "silent", uniqueKeys: false });
    const first = document.errors[0];
    if (first !== undefined) return { fields: undefined, problem: first.message.split("\n", 1)[0]! };
    if (!isMap(document.contents))
      return { fields: undefined, problem: "it is not a list of keys and values" };
    for (const { key, value } of document.contents.items) {
      if (!isScalar(key) || typeof key.value !== "string" || !TEXT_KEYS.has(key.value)) continue;
      if (isScalar(value) && typeof value.value === "number" && value.source !== undefined)
        value.value = value.source;
    }
    return { fields: toJson(document.toJS({ maxAliasCount: 100 })) as JsonObject, problem: undefined };
  } catch (error) {
    return { fields: undefined, problem: (error as Error).message };
  }
}

// YAML has more values than JSON has; a key without a value says nothing.
function toJson(value: unknown, depth = 0): JsonValue {
  if (depth > MAX_DEPTH) throw new RangeError(`it is more than ${MAX_DEPTH} levels deep`);
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "boolean" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => toJson(item, depth + 1));
  if (typeof value === "object") {
    const object: JsonObject = {};
    for (const [key, item] of Object.entries(value)) {
      if (key !== "__proto__" && item != null) object[key.toWellFormed()] = toJson(item, depth + 1);
    }
    return object;
  }
  // A date, a set, a big integer: nothing that the old program writes.
  return typeof value === "bigint" ? String(value) : null;
}
