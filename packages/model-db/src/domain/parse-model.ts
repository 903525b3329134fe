import { invalidInput } from "../errors.ts";
import { parseUserName } from "./access.ts";
import {
  checkKeys,
  parseBoolean,
  parseInteger,
  parseList,
  parseName,
  parseNotes,
  parseObject,
  parseTags,
  parseText,
  parseTime,
  parseWord,
  shown,
} from "./input.ts";
import { applyMergePatch } from "./merge-patch.ts";
import {
  AVAILABILITIES,
  FILE_ROLES,
  MODEL_STATUS,
  SOURCE_TYPES,
  type Availability,
  type Model,
  type ModelFile,
  type ModelUpdate,
  type NewModel,
  type NewModelFile,
  type SourceType,
} from "./model.ts";

type Editable = keyof ModelUpdate;
type Parser = (field: string, value: unknown) => unknown;

const orNull =
  (parse: Parser): Parser =>
  (field, value) =>
    value === null ? null : parse(field, value);

// What a person may change, how each is read, and its name in data.
const EDITABLE: Record<Editable, readonly [name: string, parse: Parser]> = {
  sourceType: ["source_type", (field, value) => parseWord(field, value, SOURCE_TYPES)],
  authorRepo: ["author_repo", parseText],
  branch: ["branch", parseText],
  configPath: ["config_path", parseText],
  alias: ["alias", orNull(parseName)],
  aliases: ["aliases", (field, value) => parseList(field, value, (item) => parseName("alias", item))],
  availability: ["availability", (field, value) => parseWord(field, value, AVAILABILITIES)],
  engine: ["engine", parseText],
  format: ["format", parseText],
  architecture: ["architecture", parseText],
  quantization: ["quantization", parseText],
  parameterCount: ["parameter_count", orNull(parseInteger)],
  contextLength: ["context_length", orNull(parseInteger)],
  sizeBytes: ["size_bytes", orNull(parseInteger)],
  capabilities: ["capabilities", parseTags],
  metadata: ["metadata", parseObject],
  tags: ["tags", parseTags],
  notes: ["notes", parseNotes],
  pinned: ["pinned", parseBoolean],
  owner: ["owner", orNull(parseUserName)],
  private: ["private", parseBoolean],
  lastUsedAt: ["last_used_at", orNull(parseTime)],
};
const EDITABLE_KEYS = Object.keys(EDITABLE) as Editable[];
const UPDATE_KEYS: ReadonlySet<string> = new Set(EDITABLE_KEYS);
const NEW_KEYS: ReadonlySet<string> = new Set([
  ...EDITABLE_KEYS,
  "modelId",
  "createdAt",
  "updatedAt",
  "files",
]);

/** A model that is not yet stored, and its files. */
export interface ModelDraft {
  readonly model: Model;
  /** No alias was named: a short one is to be made. */
  readonly wantsAlias: boolean;
  readonly files: readonly ModelFile[];
}

/**
 * Reads what `create` is given.
 *
 * @param now Unix milliseconds, for the times that are left out.
 * @param owner whose it is where that is left out.
 * @throws RegistryError `invalid_input` naming the field.
 */
export function parseNewModel(input: unknown, now: number, owner: string | null): ModelDraft {
  checkKeys("a model", input, NEW_KEYS);
  const given = input as Record<string, unknown>;
  const modelId = parseName("model_id", given["modelId"]);
  if (given["sourceType"] === undefined) {
    throw invalidInput("source_type", `source_type is missing: one of ${SOURCE_TYPES.join(", ")}.`);
  }
  const createdAt = given["createdAt"] === undefined ? now : parseTime("created_at", given["createdAt"]);
  const fields = parseEditable(given);
  const files = parseFiles(given["files"]);
  const model: Model = {
    modelId,
    sourceType: fields.sourceType!,
    authorRepo: fields.authorRepo ?? null,
    branch: fields.branch ?? null,
    configPath: fields.configPath ?? null,
    alias: fields.alias ?? null,
    aliases: (fields.aliases ?? []).filter((alias) => alias !== fields.alias && alias !== modelId),
    status: MODEL_STATUS.READY,
    createdAt,
    updatedAt: given["updatedAt"] === undefined ? createdAt : parseTime("updated_at", given["updatedAt"]),
    availability: fields.availability ?? likelyAvailability(fields.sourceType!, files),
    engine: fields.engine ?? null,
    format: fields.format ?? null,
    architecture: fields.architecture ?? null,
    quantization: fields.quantization ?? null,
    parameterCount: fields.parameterCount ?? null,
    contextLength: fields.contextLength ?? null,
    sizeBytes: fields.sizeBytes ?? null,
    capabilities: fields.capabilities ?? [],
    metadata: fields.metadata ?? {},
    tags: fields.tags ?? [],
    notes: fields.notes ?? null,
    pinned: fields.pinned ?? false,
    owner: fields.owner === undefined ? owner : fields.owner,
    private: fields.private ?? false,
    lastUsedAt: fields.lastUsedAt ?? null,
    rowVersion: 1,
    rowChecksum: "",
  };
  checkPrivate(model);
  return { model, wantsAlias: fields.alias === undefined, files };
}

function checkPrivate({ owner, private: isPrivate }: Model): void {
  if (isPrivate && owner === null)
    throw invalidInput("private", "A model without an owner cannot be private. Name its owner, too.");
}

function likelyAvailability(sourceType: SourceType, files: readonly ModelFile[]): Availability {
  if (sourceType === "remote") return "remote";
  return files.length > 0 ? "present" : "missing";
}

/**
 * Checks a model as `create` would, without storing it: whether its names are free is not looked at.
 *
 * @throws RegistryError `invalid_input` naming the field.
 */
export function checkNewModel(model: NewModel): void {
  parseNewModel(model, 0, null);
}

const MAX_FILES = 10_000;

function parseFiles(files: unknown): ModelFile[] {
  if (files === undefined) return [];
  if (!Array.isArray(files)) throw invalidInput("files", `files must be a list, not ${shown(files)}.`);
  if (files.length > MAX_FILES) {
    throw invalidInput("files", `files has ${files.length} items; at most ${MAX_FILES} are allowed.`);
  }
  const parsed = Array.from(files, parseNewFile);
  const paths = new Set<string>();
  for (const { path } of parsed) {
    if (paths.has(path)) throw invalidInput("files", `files holds ${shown(path)} twice.`);
    paths.add(path);
  }
  return parsed;
}

/**
 * Reads what `update` is given.
 *
 * @throws RegistryError `invalid_input` naming the field.
 */
export function parseModelUpdate(input: unknown): ModelUpdate {
  checkKeys("an update", input, UPDATE_KEYS);
  return parseEditable(input as Record<string, unknown>);
}

function parseEditable(given: Record<string, unknown>): ModelUpdate {
  const parsed: Record<string, unknown> = {};
  for (const key of Object.keys(given)) {
    const value = given[key];
    const rule = EDITABLE[key as Editable] as (typeof EDITABLE)[Editable] | undefined;
    if (value !== undefined && rule !== undefined) parsed[key] = rule[1](rule[0], value);
  }
  return parsed;
}

/**
 * The model with an update applied: lists replaced, metadata merged. Names and tags stay each once.
 *
 * @throws RegistryError `invalid_input` when there is more than a model may have.
 */
export function applyUpdate(model: Model, update: ModelUpdate): Model {
  const merged = { ...model, ...update } as { -readonly [K in keyof Model]: Model[K] };
  // What changes is checked again as a whole: small changes add up.
  if (update.alias !== undefined || update.aliases !== undefined) merged.aliases = furtherAliases(merged);
  if (update.tags !== undefined) merged.tags = parseList("tags", update.tags, String);
  if (update.metadata !== undefined)
    merged.metadata = parseObject("metadata", applyMergePatch(model.metadata, update.metadata));
  checkPrivate(merged);
  return merged;
}

function furtherAliases({ modelId, alias, aliases }: Model): string[] {
  const others = aliases.filter((name) => name !== alias && name !== modelId);
  return parseList("aliases", others, String);
}

/** @throws RegistryError `invalid_input`. */
export function parsePath(path: unknown): string {
  const parsed = parseText("path", path ?? null);
  if (parsed === null) throw invalidInput("path", "path must not be empty.");
  return parsed;
}

/** @throws RegistryError `invalid_input`. */
export function parseSha256(sha256: unknown): string {
  if (typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256)) return sha256;
  throw invalidInput("sha256", `sha256 must be 64 lower-case hexadecimal digits, not ${shown(sha256)}.`);
}

const FILE_KEYS: ReadonlySet<string> = new Set([
  "path",
  "role",
  "sizeBytes",
  "sha256",
  "verifiedAt",
  "source",
]);

/**
 * Reads what `files.put` is given.
 *
 * @throws RegistryError `invalid_input` naming the field.
 */
export function parseNewFile(input: unknown): ModelFile {
  checkKeys("a file", input, FILE_KEYS);
  const given = input as Partial<NewModelFile>;
  const path = parsePath(given.path);
  return {
    path,
    role: parseWord("role", given.role, FILE_ROLES),
    sizeBytes: orNull(parseInteger)("size_bytes", given.sizeBytes ?? null) as number | null,
    sha256: given.sha256 == null ? null : parseSha256(given.sha256),
    verifiedAt: orNull(parseTime)("verified_at", given.verifiedAt ?? null) as number | null,
    source: parseText("source", given.source ?? null),
  };
}
