import type { JsonObject, JsonValue } from "./model.ts";

/**
 * A JSON merge patch (RFC 7396): objects merge key by key, `null` removes a key, anything else
 * replaces. Neither argument is changed.
 */
export function applyMergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged: JsonObject = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete merged[key];
    else if (isObject(value)) merged[key] = applyMergePatch(isObject(merged[key]) ? merged[key] : {}, value);
    else merged[key] = value;
  }
  return merged;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
