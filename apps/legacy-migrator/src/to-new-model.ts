import { extname } from "node:path";

import type { Availability, JsonObject, JsonValue, NewModel, SourceType } from "@cortex/model-db";

import type { LegacyEntry, LegacyNote } from "./legacy/legacy-entry.ts";
import type { ModelFacts } from "./legacy/model-facts.ts";
import { sourceTypeOf } from "./legacy/source-type.ts";

/** A model as the registry should hold it, and what its owner should know. */
export interface WantedModel {
  readonly model: NewModel;
  readonly notes: readonly LegacyNote[];
}

const MAX_METADATA_LENGTH = 400_000;
const MAX_METADATA_DEPTH = 24;
const QUANTIZATION = /(?:^|[._-])((?:I?Q[1-8](?:_[0-9A-Z]+)*|BF16|F16|F32|FP16))(?=\.gguf$|[._-]|$)/i;
// Words of a file name, an id or a branch that name a format.
const FORMATS = ["gguf", "onnx", "tensorrt-llm", "safetensors"] as const;
const KNOWN_STATUS: ReadonlySet<string> = new Set([
  "READY",
  "RUNNING",
  "downloaded",
  "downloadable",
  "undownloaded",
  "remote",
]);

/**
 * Makes the registry's model of an old record and of what the disk says. What has no field in the
 * registry goes into `metadata`: the record's own under `legacy`, the YAML under `model_yml`.
 *
 * @param aliases further names of the model.
 * @param leftovers of records that were merged into this one.
 * @param storeModifiedAt Unix milliseconds; the time of a model whose YAML is gone.
 */
export function toNewModel(
  entry: LegacyEntry,
  facts: ModelFacts,
  aliases: readonly string[],
  leftovers: readonly JsonObject[],
  storeModifiedAt: number,
): WantedModel {
  const notes: LegacyNote[] = [...entry.notes, ...facts.notes];
  const { yml } = facts;
  const known = sourceTypeOf(entry);
  if (known === undefined) {
    notes.push({
      code: "source_unknown",
      text: "Where the model came from cannot be told; it is taken as local.",
    });
  }
  const sourceType = known ?? "local";
  noteStatus(entry, notes);
  const availability = availabilityOf(entry, facts, sourceType);
  if (availability === "missing" || availability === "partial") noteMissing(facts, notes);

  const source = parseMetadata(entry.metadata, notes);
  const gguf = objectAt(source, "gguf");
  const weights = facts.files.find(({ role }) => role === "weights")?.path;
  const file = weights ?? (entry.modelId.toLowerCase().endsWith(".gguf") ? entry.modelId : undefined);
  const createdAt = facts.createdAt ?? storeModifiedAt;
  return {
    notes,
    model: {
      modelId: entry.modelId,
      sourceType,
      authorRepo: textOf(entry.author),
      branch: textOf(entry.branch),
      configPath: facts.configPath,
      alias: textOf(entry.alias),
      aliases,
      createdAt,
      updatedAt: Math.max(createdAt, facts.updatedAt ?? storeModifiedAt),
      availability,
      engine: textOf(entry.engine) ?? wordAt(yml, "engine"),
      format: formatOf(file, entry),
      architecture: wordAt(gguf, "architecture"),
      quantization:
        file === undefined ? null : (QUANTIZATION.exec(lastPart(file))?.[1]?.toUpperCase() ?? null),
      parameterCount: countAt(gguf, "total"),
      contextLength: countAt(yml, "ctx_len") ?? countAt(gguf, "context_length"),
      sizeBytes:
        availability === "present" && facts.sizeBytes > 0
          ? facts.sizeBytes
          : (countAt(yml, "size") ?? countAt(source, "size") ?? (facts.sizeBytes || null)),
      metadata: metadataOf(entry, facts, source, leftovers, notes),
      files: facts.files,
    },
  };
}

// The disk decides; where it has nothing, the record's word.
function availabilityOf(entry: LegacyEntry, facts: ModelFacts, sourceType: SourceType): Availability {
  if (sourceType === "remote") return "remote";
  if (facts.hasConfig && facts.weightsExpected > 0 && facts.weightsFound === facts.weightsExpected)
    return "present";
  if (facts.weightsFound > 0) return "partial";
  if (entry.status === "downloadable" || entry.status === "undownloaded") return "downloadable";
  return entry.status === "remote" ? "remote" : "missing";
}

function noteStatus({ status, store }: LegacyEntry, notes: LegacyNote[]): void {
  if (status === "RUNNING") {
    const text =
      "The old file says RUNNING: that was then. The model is READY; the word is kept in its metadata.";
    notes.push({ code: "was_running", text });
  } else if (status !== null && status !== "" && !KNOWN_STATUS.has(status)) {
    const text = `The status "${status}" is none that the old program knew; the model is READY.`;
    notes.push({ code: "status_unknown", text });
  } else if (store === "cortex.db" && (status === null || status === "")) {
    notes.push({
      code: "status_absent",
      text: "The row has no status, as after an upgrade; the disk decides.",
    });
  }
}

function noteMissing(facts: ModelFacts, notes: LegacyNote[]): void {
  if (facts.configPath === null) {
    notes.push({ code: "config_absent", text: "The record names no YAML file." });
  } else if (!facts.hasConfig) {
    notes.push({ code: "config_missing", text: `The YAML file is not there: ${facts.configPath}` });
  }
  const gone = facts.files.filter(({ sizeBytes }) => sizeBytes === null);
  const shown = gone.slice(0, 3).map(({ path }) => path);
  if (gone.length > 0) {
    const more = gone.length > shown.length ? ` and ${gone.length - shown.length} more` : "";
    notes.push({ code: "file_missing", text: `Not there: ${shown.join(", ")}${more}` });
  }
}

function formatOf(file: string | undefined, { modelId, branch, modelFormat }: LegacyEntry): string | null {
  const extension = file === undefined ? "" : extname(file).slice(1).toLowerCase();
  if (extension === "engine") return "tensorrt-llm";
  const byExtension = FORMATS.find((format) => format === extension);
  if (byExtension !== undefined) return byExtension;
  const words = `${modelFormat ?? ""} ${branch ?? ""} ${lastPart(modelId)}`.toLowerCase();
  return FORMATS.find((format) => words.includes(format)) ?? null;
}

function metadataOf(
  entry: LegacyEntry,
  facts: ModelFacts,
  source: JsonValue,
  leftovers: readonly JsonObject[],
  notes: LegacyNote[],
): JsonObject {
  const legacy: JsonObject = { store: entry.store };
  const keep = (key: string, value: JsonValue): void => {
    if (value !== null && value !== "") legacy[key] = value;
  };
  if (entry.status !== "READY") keep("status", entry.status);
  keep("model_format", entry.modelFormat);
  keep("model_source", entry.modelSource);
  if (entry.configPath !== facts.configPath) keep("config_path", entry.configPath);
  keep("rest", entry.rest);
  keep("metadata", source);
  if (leftovers.length > 0) legacy["other_records"] = [...leftovers];
  const metadata: JsonObject = { legacy };
  if (facts.yml !== undefined) metadata["model_yml"] = facts.yml;
  for (const [holder, key] of [
    [metadata, "model_yml"],
    [legacy, "metadata"],
    [legacy, "other_records"],
  ] as const) {
    if (holder[key] === undefined || JSON.stringify(holder[key]).length <= MAX_METADATA_LENGTH) continue;
    delete holder[key];
    notes.push({
      code: "metadata_too_large",
      text: `${key} is too large for the registry; it stays in the old store.`,
    });
  }
  return metadata;
}

// Parsed where nothing is lost by it, else the text as it was.
function parseMetadata(text: string | null, notes: LegacyNote[]): JsonValue {
  if (text === null || text === "") return null;
  try {
    const value = JSON.parse(text) as JsonValue;
    if (isFaithful(value, 0)) return value;
  } catch {
    // Not JSON: kept as text.
  }
  notes.push({ code: "metadata_text", text: "The metadata is no plain JSON; it is kept as text." });
  return text;
}

function isFaithful(value: JsonValue, depth: number): boolean {
  if (depth > MAX_METADATA_DEPTH) return false;
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value === "number") return !Number.isInteger(value) || Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(
    ([key, item]) => key !== "__proto__" && key.isWellFormed() && isFaithful(item, depth + 1),
  );
}

function objectAt(value: JsonValue, key: string): JsonObject | undefined {
  const item = isObject(value) ? value[key] : undefined;
  return isObject(item) ? item : undefined;
}

function wordAt(object: JsonObject | undefined, key: string): string | null {
  const value = object?.[key];
  return typeof value === "string" && /^[^\p{C}]{1,256}$/u.test(value) ? value : null;
}

function countAt(object: JsonValue | undefined, key: string): number | null {
  const value = isObject(object) ? object[key] : undefined;
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : null;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(text: string | null): string | null {
  return text === "" ? null : text;
}

function lastPart(text: string): string {
  return text.slice(Math.max(text.lastIndexOf("/"), text.lastIndexOf(":"), text.lastIndexOf("\\")) + 1);
}
