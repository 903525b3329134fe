import type { Generated } from "kysely";

import { shown } from "../domain/input.ts";
import type {
  JsonObject,
  Model,
  ModelStatus,
  ModelSummary,
  Availability,
  SourceType,
} from "../domain/model.ts";
import { RegistryError } from "../errors.ts";
import { rowChecksum } from "./row-checksum.ts";

/** The row of `model`, as it is stored. */
export interface ModelTable {
  seq: Generated<number>;
  model_id: string;
  source_type: SourceType;
  author_repo: string | null;
  branch: string | null;
  config_path: string | null;
  alias: string | null;
  /** JSON: array of texts. */
  aliases: string;
  status: ModelStatus;
  created_at: number;
  updated_at: number;
  availability: Availability;
  engine: string | null;
  format: string | null;
  architecture: string | null;
  quantization: string | null;
  parameter_count: number | null;
  context_length: number | null;
  size_bytes: number | null;
  /** JSON: array of texts. */
  capabilities: string;
  /** JSON: object. */
  metadata: string;
  /** JSON: array of texts. */
  tags: string;
  notes: string | null;
  pinned: 0 | 1;
  last_used_at: number | null;
  row_version: number;
  row_checksum: string;
  owner: string | null;
  private: 0 | 1;
}

/** A row as a read returns it. */
export type ModelRow = Omit<ModelTable, "seq"> & { seq: number };
/** The columns of a summary. */
export const SUMMARY = [
  "model_id",
  "alias",
  "source_type",
  "size_bytes",
  "status",
  "availability",
  "tags",
  "updated_at",
] as const;
export type SummaryRow = Pick<ModelRow, (typeof SUMMARY)[number]>;
/** The values of a row that a model decides. */
export type ModelValues = Omit<ModelTable, "seq">;

// The same few lists repeat over all models: each is parsed once.
const LISTS = new Map<string, readonly string[]>([["[]", Object.freeze([])]]);
const MAX_LISTS = 2000;

/**
 * The model that a row holds.
 *
 * @throws RegistryError `database_damaged`.
 */
export function toModel(row: ModelRow): Model {
  try {
    return read(row);
  } catch (error) {
    throw damaged(row, error);
  }
}

/**
 * What a table shows of the model that a row holds.
 *
 * @throws RegistryError `database_damaged`.
 */
export function toSummary(row: SummaryRow): ModelSummary {
  try {
    return {
      modelId: row.model_id,
      alias: row.alias,
      sourceType: row.source_type,
      sizeBytes: row.size_bytes,
      status: row.status,
      availability: row.availability,
      tags: toList(row.tags),
      updatedAt: row.updated_at,
    };
  } catch (error) {
    throw damaged(row, error);
  }
}

// Only a damaged row holds no JSON where it should.
function damaged({ model_id: id }: SummaryRow, cause: unknown): RegistryError {
  return new RegistryError("database_damaged", `The record of ${shown(id)} is damaged.`, { cause });
}

function read(row: ModelRow): Model {
  return {
    modelId: row.model_id,
    sourceType: row.source_type,
    authorRepo: row.author_repo,
    branch: row.branch,
    configPath: row.config_path,
    alias: row.alias,
    aliases: toList(row.aliases),
    status: row.status,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    availability: row.availability,
    engine: row.engine,
    format: row.format,
    architecture: row.architecture,
    quantization: row.quantization,
    parameterCount: row.parameter_count,
    contextLength: row.context_length,
    sizeBytes: row.size_bytes,
    capabilities: toList(row.capabilities),
    metadata: row.metadata === "{}" ? {} : (JSON.parse(row.metadata) as JsonObject),
    tags: toList(row.tags),
    notes: row.notes,
    pinned: row.pinned === 1,
    owner: row.owner,
    private: row.private === 1,
    lastUsedAt: row.last_used_at,
    rowVersion: row.row_version,
    rowChecksum: row.row_checksum,
  };
}

/** The stored values of a model, with a fresh checksum. */
export function toModelValues(model: Model): ModelValues {
  const values = toUnsignedValues(model);
  values.row_checksum = modelChecksum(values);
  return values;
}

/** The stored values of a model, without a checksum. */
export function toUnsignedValues(model: Model): ModelValues {
  return {
    model_id: model.modelId,
    source_type: model.sourceType,
    author_repo: model.authorRepo,
    branch: model.branch,
    config_path: model.configPath,
    alias: model.alias,
    aliases: JSON.stringify(model.aliases),
    status: model.status,
    created_at: model.createdAt,
    updated_at: model.updatedAt,
    availability: model.availability,
    engine: model.engine,
    format: model.format,
    architecture: model.architecture,
    quantization: model.quantization,
    parameter_count: model.parameterCount,
    context_length: model.contextLength,
    size_bytes: model.sizeBytes,
    capabilities: JSON.stringify(model.capabilities),
    metadata: JSON.stringify(model.metadata),
    tags: JSON.stringify(model.tags),
    notes: model.notes,
    pinned: model.pinned ? 1 : 0,
    last_used_at: model.lastUsedAt,
    row_version: model.rowVersion,
    row_checksum: "",
    owner: model.owner,
    private: model.private ? 1 : 0,
  };
}

/** The checksum that belongs to a stored row. */
export function modelChecksum(row: ModelValues): string {
  const values: (string | number | null)[] = [
    row.model_id,
    row.source_type,
    row.author_repo,
    row.branch,
    row.config_path,
    row.alias,
    row.aliases,
    row.status,
    row.created_at,
    row.updated_at,
    row.availability,
    row.engine,
    row.format,
    row.architecture,
    row.quantization,
    row.parameter_count,
    row.context_length,
    row.size_bytes,
    row.capabilities,
    row.metadata,
    row.tags,
    row.notes,
    row.pinned,
    row.last_used_at,
    row.row_version,
  ];
  // Columns that came later count only where they say something, so that what was signed before still holds;
  // the rows of an older schema do not have them.
  if (row.owner || row.private) values.push(row.owner, row.private);
  return rowChecksum(values);
}

function toList(json: string): readonly string[] {
  const known = LISTS.get(json);
  if (known !== undefined) return known;
  const list = Object.freeze(JSON.parse(json) as string[]);
  if (LISTS.size < MAX_LISTS && json.length < 200) LISTS.set(json, list);
  return list;
}
