/** Where a model came from; `remote` is an API model of the old store. */
export const SOURCE_TYPES = ["huggingface", "cortex.so", "local", "remote"] as const;
export type SourceType = (typeof SOURCE_TYPES)[number];

/** Whether a model's files are here. */
export const AVAILABILITIES = ["present", "partial", "missing", "downloadable", "remote"] as const;
export type Availability = (typeof AVAILABILITIES)[number];

/** `RUNNING` exactly while an unexpired lease exists. */
export const MODEL_STATUS = { READY: 0, RUNNING: 1 } as const;
export type ModelStatus = (typeof MODEL_STATUS)[keyof typeof MODEL_STATUS];

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** One model, as every read returns it. Times are Unix milliseconds, sizes bytes; `null` is "not known". */
export interface Model {
  readonly modelId: string;
  readonly sourceType: SourceType;
  readonly authorRepo: string | null;
  readonly branch: string | null;
  readonly configPath: string | null;
  /** The primary friendly name; `aliases` are the further ones. */
  readonly alias: string | null;
  readonly aliases: readonly string[];
  readonly status: ModelStatus;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly availability: Availability;
  readonly engine: string | null;
  readonly format: string | null;
  readonly architecture: string | null;
  readonly quantization: string | null;
  readonly parameterCount: number | null;
  /** Tokens. */
  readonly contextLength: number | null;
  readonly sizeBytes: number | null;
  readonly capabilities: readonly string[];
  readonly metadata: JsonObject;
  readonly tags: readonly string[];
  readonly notes: string | null;
  /** Prune and eviction leave a pinned model alone. */
  readonly pinned: boolean;
  /** The name of the user whose it is. */
  readonly owner: string | null;
  /** Only its owner and administrators see it. */
  readonly private: boolean;
  readonly lastUsedAt: number | null;
  /** Grows by one at each change, from 1. */
  readonly rowVersion: number;
  /** Over all other fields; empty for a row that a foreign program wrote. */
  readonly rowChecksum: string;
}

/** What a table of models shows of each. */
export type ModelSummary = Pick<
  Model,
  "modelId" | "alias" | "sourceType" | "sizeBytes" | "status" | "availability" | "tags" | "updatedAt"
>;

/** What `create` takes; whatever is left out gets the default named here. */
export interface NewModel {
  modelId: string;
  sourceType: SourceType;
  authorRepo?: string | null | undefined;
  branch?: string | null | undefined;
  configPath?: string | null | undefined;
  /** Left out: a short one is made from the id, unique. `null`: none. */
  alias?: string | null | undefined;
  aliases?: readonly string[] | undefined;
  /** Now. */
  createdAt?: number | undefined;
  /** The same as `createdAt`. */
  updatedAt?: number | undefined;
  /** `remote` for a remote source, `present` where files are named, else `missing`. */
  availability?: Availability | undefined;
  engine?: string | null | undefined;
  format?: string | null | undefined;
  architecture?: string | null | undefined;
  quantization?: string | null | undefined;
  parameterCount?: number | null | undefined;
  contextLength?: number | null | undefined;
  sizeBytes?: number | null | undefined;
  capabilities?: readonly string[] | undefined;
  metadata?: JsonObject | undefined;
  tags?: readonly string[] | undefined;
  notes?: string | null | undefined;
  pinned?: boolean | undefined;
  /** A user's name. Left out: whoever registers it; `null`: nobody. */
  owner?: string | null | undefined;
  /** Needs an owner. */
  private?: boolean | undefined;
  lastUsedAt?: number | null | undefined;
  /** What it consists of; read and changed later by `files`. */
  files?: readonly NewModelFile[] | undefined;
}

/**
 * What `update` takes: only the fields named change. `aliases`, `tags` and `capabilities` replace the
 * whole list; `metadata` is a JSON merge patch (RFC 7396): a key set to `null` goes away.
 */
export type ModelUpdate = Partial<Omit<NewModel, "modelId" | "createdAt" | "updatedAt" | "files">>;

/** One file of a model. */
export interface ModelFile {
  readonly path: string;
  readonly role: FileRole;
  readonly sizeBytes: number | null;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string | null;
  readonly verifiedAt: number | null;
  /** Where it came from: a URL or the path it was copied from. */
  readonly source: string | null;
}
export const FILE_ROLES = ["weights", "mmproj", "config", "tokenizer", "template", "other"] as const;
export type FileRole = (typeof FILE_ROLES)[number];
export type NewModelFile = Pick<ModelFile, "path" | "role"> & Partial<ModelFile>;
