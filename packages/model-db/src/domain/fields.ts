import type { Model } from "./model.ts";

type FieldType = "text" | "integer" | "time" | "bytes" | "boolean" | "status" | "list" | "object";

/** One field of the record: its name in data and in code, and what it holds. */
export interface Field {
  /** As a column, a JSON field and a `--json` key. */
  readonly name: string;
  readonly property: keyof Model;
  readonly type: FieldType;
}

/** The fields of a model's record, in the order in which they are shown. */
export const MODEL_FIELDS = [
  { name: "model_id", property: "modelId", type: "text" },
  { name: "source_type", property: "sourceType", type: "text" },
  { name: "author_repo", property: "authorRepo", type: "text" },
  { name: "branch", property: "branch", type: "text" },
  { name: "config_path", property: "configPath", type: "text" },
  { name: "alias", property: "alias", type: "text" },
  { name: "aliases", property: "aliases", type: "list" },
  { name: "status", property: "status", type: "status" },
  { name: "created_at", property: "createdAt", type: "time" },
  { name: "updated_at", property: "updatedAt", type: "time" },
  { name: "availability", property: "availability", type: "text" },
  { name: "engine", property: "engine", type: "text" },
  { name: "format", property: "format", type: "text" },
  { name: "architecture", property: "architecture", type: "text" },
  { name: "quantization", property: "quantization", type: "text" },
  { name: "parameter_count", property: "parameterCount", type: "integer" },
  { name: "context_length", property: "contextLength", type: "integer" },
  { name: "size_bytes", property: "sizeBytes", type: "bytes" },
  { name: "capabilities", property: "capabilities", type: "list" },
  { name: "metadata", property: "metadata", type: "object" },
  { name: "tags", property: "tags", type: "list" },
  { name: "notes", property: "notes", type: "text" },
  { name: "pinned", property: "pinned", type: "boolean" },
  { name: "owner", property: "owner", type: "text" },
  { name: "private", property: "private", type: "boolean" },
  { name: "last_used_at", property: "lastUsedAt", type: "time" },
  { name: "row_version", property: "rowVersion", type: "integer" },
  { name: "row_checksum", property: "rowChecksum", type: "text" },
] as const;

/** The name of a field of the record. */
export type ModelField = (typeof MODEL_FIELDS)[number]["name"];
/** A field that lists can be filtered and sorted by: all but `metadata`, which has a shape of its own. */
export type FilterField = Exclude<ModelField, "metadata">;

/** The fields that lists can be filtered and sorted by. */
export const FILTER_FIELDS: readonly (Field & { readonly name: FilterField })[] = MODEL_FIELDS.filter(
  (field): field is Exclude<(typeof MODEL_FIELDS)[number], { name: "metadata" }> => field.name !== "metadata",
);
