import { hash } from "node:crypto";

import { MODEL_FIELDS, type NewModel } from "@cortex/model-db";

export type Value = string | number | null;
/** A row of the table `model`, as it is stored. */
export type Row = Record<string, Value>;

/** The columns of the table `model`, without its key. */
export const NAMES = MODEL_FIELDS.map(({ name }) => name);
const JSON_COLUMNS: ReadonlySet<string> = new Set(["aliases", "capabilities", "metadata", "tags"]);

/** The stored row of a new model. */
export function toRow(model: NewModel): Row {
  const lists = { aliases: [], capabilities: model.capabilities ?? [], tags: model.tags ?? [] };
  return {
    model_id: model.modelId,
    source_type: model.sourceType,
    author_repo: model.authorRepo ?? null,
    branch: model.branch ?? null,
    config_path: model.configPath ?? null,
    alias: model.alias ?? null,
    aliases: JSON.stringify(lists.aliases),
    status: 0,
    created_at: model.createdAt ?? 0,
    updated_at: model.createdAt ?? 0,
    availability: "present",
    engine: model.engine ?? null,
    format: model.format ?? null,
    architecture: model.architecture ?? null,
    quantization: model.quantization ?? null,
    parameter_count: model.parameterCount ?? null,
    context_length: model.contextLength ?? null,
    size_bytes: model.sizeBytes ?? null,
    capabilities: JSON.stringify(lists.capabilities),
    metadata: JSON.stringify(model.metadata ?? {}),
    tags: JSON.stringify(lists.tags),
    notes: null,
    pinned: 0,
    owner: null,
    private: 0,
    last_used_at: null,
    row_version: 1,
    row_checksum: "",
  };
}

/** The record as the history keeps it: lists and objects, not texts, and without what is not known or empty. */
export function toRecord(row: Row): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const name of NAMES) {
    const value = row[name]!;
    if (value === null || value === "[]" || value === "{}") continue;
    if (name === "pinned" || name === "private") {
      if (value === 1) record[name] = true;
    } else {
      record[name] = JSON_COLUMNS.has(name) ? JSON.parse(value as string) : value;
    }
  }
  return record;
}

/** The record of a row that was read: fields named as the registry names them, lists and objects, not texts. */
export function decoded(row: Row): Record<string, unknown> {
  return {
    modelId: row["model_id"],
    sourceType: row["source_type"],
    authorRepo: row["author_repo"],
    branch: row["branch"],
    configPath: row["config_path"],
    alias: row["alias"],
    aliases: list(row["aliases"]),
    status: row["status"],
    createdAt: row["created_at"],
    updatedAt: row["updated_at"],
    availability: row["availability"],
    engine: row["engine"],
    format: row["format"],
    architecture: row["architecture"],
    quantization: row["quantization"],
    parameterCount: row["parameter_count"],
    contextLength: row["context_length"],
    sizeBytes: row["size_bytes"],
    capabilities: list(row["capabilities"]),
    metadata: row["metadata"] === "{}" ? {} : JSON.parse(row["metadata"] as string),
    tags: list(row["tags"]),
    notes: row["notes"],
    pinned: row["pinned"] === 1,
    owner: row["owner"],
    private: row["private"] === 1,
    lastUsedAt: row["last_used_at"],
    rowVersion: row["row_version"],
    rowChecksum: row["row_checksum"],
  };
}

function list(text: Value | undefined): unknown {
  return text === "[]" ? [] : JSON.parse(text as string);
}

// Whose a model is counts only where it is somebody's; in a benchmark it is nobody's.
const SIGNED = NAMES.filter((name) => !["row_checksum", "owner", "private"].includes(name));

/** What `row_checksum` of a model must be. */
export function checksum(row: Row): string {
  return digest(SIGNED.map((name) => row[name]!));
}

/** The checksum of values, as the registry makes it. */
export function digest(values: readonly Value[]): string {
  return hash("sha256", JSON.stringify(values), "hex").slice(0, 16);
}
