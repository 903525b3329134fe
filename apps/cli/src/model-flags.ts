import {
  AVAILABILITIES,
  SOURCE_TYPES,
  type JsonObject,
  type JsonValue,
  type ModelUpdate,
} from "@cortex/model-db";

import { MisuseError } from "./errors.ts";
import { oneOf } from "./one-of.ts";
import { quote } from "./values.ts";

/** The flags that say what a model is. An empty text clears a field. */
export interface ModelFlags {
  readonly sourceType?: string;
  readonly authorRepo?: string;
  readonly branch?: string;
  readonly configPath?: string;
  /** `false`: none. */
  readonly alias?: string | false;
  readonly availability?: string;
  readonly engine?: string;
  readonly format?: string;
  readonly architecture?: string;
  readonly quantization?: string;
  readonly parameterCount?: number | null;
  readonly contextLength?: number | null;
  readonly sizeBytes?: number | null;
  readonly capability?: readonly string[];
  readonly tag?: readonly string[];
  readonly metadata?: readonly string[];
  readonly notes?: string;
  readonly pinned?: boolean;
  readonly owner?: string;
  readonly private?: boolean;
}

const TEXTS = [
  "authorRepo",
  "branch",
  "configPath",
  "engine",
  "format",
  "architecture",
  "quantization",
  "notes",
  "owner",
] as const;
const VALUES = ["parameterCount", "contextLength", "sizeBytes", "pinned", "private"] as const;

/**
 * The fields of a model that flags name, and no others.
 * @throws MisuseError for a word or an assignment that cannot be read
 */
export function toModelFields(flags: ModelFlags): ModelUpdate {
  const fields: ModelUpdate = {};
  for (const name of TEXTS)
    if (flags[name] !== undefined) fields[name] = flags[name] === "" ? null : flags[name];
  for (const name of VALUES) if (flags[name] !== undefined) Object.assign(fields, { [name]: flags[name] });
  if (flags.sourceType !== undefined)
    fields.sourceType = oneOf("--source-type", flags.sourceType, SOURCE_TYPES);
  if (flags.availability !== undefined)
    fields.availability = oneOf("--availability", flags.availability, AVAILABILITIES);
  if (flags.alias !== undefined)
    fields.alias = flags.alias === false || flags.alias === "" ? null : flags.alias;
  if (flags.tag !== undefined) fields.tags = withoutEmpty(flags.tag);
  if (flags.capability !== undefined) fields.capabilities = withoutEmpty(flags.capability);
  if (flags.metadata !== undefined) fields.metadata = toMetadata(flags.metadata);
  return fields;
}

function withoutEmpty(texts: readonly string[]): string[] {
  return texts.filter((text) => text !== "");
}

/** `key=text`, `key:=JSON` (as HTTPie writes it) or a JSON object, the later over the earlier. */
function toMetadata(assignments: readonly string[]): JsonObject {
  return Object.fromEntries(assignments.flatMap(toEntries));
}

function toEntries(assignment: string): [string, JsonValue][] {
  if (assignment.startsWith("{")) return Object.entries(parseJson(assignment) as JsonObject);
  const match = /^([^=]*?)(:?=)(.*)$/su.exec(assignment);
  if (match === null || match[1] === "") {
    throw new MisuseError(`--metadata needs key=text, key:=JSON or a JSON object, not ${quote(assignment)}.`);
  }
  return [[match[1]!, match[2] === "=" ? match[3]! : parseJson(match[3]!)]];
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    throw new MisuseError(`--metadata: ${quote(text)} is no JSON.`);
  }
}
