import type { EventOrigin } from "./event.ts";
import type { FileRole, SourceType } from "./model.ts";

/**
 * How far a transfer is. `queued`: nobody works on it yet, or whoever did has ended; it is `running` exactly while
 * a process does. `paused` and `failed` wait for a person; `done` and `cancelled` are the end.
 */
export const TRANSFER_STATES = ["queued", "running", "paused", "failed", "done", "cancelled"] as const;
export type TransferState = (typeof TRANSFER_STATES)[number];

/** One file of a transfer. */
export interface TransferFile {
  /** Below the transfer's folder, with `/` between its parts. */
  readonly path: string;
  readonly role: FileRole;
  /** Where it is fetched from. */
  readonly url: string;
  /** `null` where the source does not tell. */
  readonly sizeBytes: number | null;
  /** What the source says it is: 64 lower-case hexadecimal digits. */
  readonly sha256: string | null;
  /** The id of its content in git, where the source has nothing else: 40 lower-case hexadecimal digits. */
  readonly gitSha1: string | null;
  /** What the source calls this state of it, where it has neither. */
  readonly etag: string | null;
  /** How much of it is here. */
  readonly doneBytes: number;
  /** Nothing was in its place when the transfer came to it: what is there now, the transfer has written. */
  readonly isOurs: boolean;
}

/** A model that is being fetched: a job that outlives the process that works on it. Times are Unix milliseconds. */
export interface Transfer {
  readonly transferId: number;
  /** What was asked for, as it was written. */
  readonly reference: string;
  readonly state: TransferState;
  /** The model that it makes. */
  readonly modelId: string;
  readonly sourceType: SourceType;
  /** Of a hub: `author/name`. */
  readonly repository: string | null;
  /** What was asked for of the repository. */
  readonly branch: string | null;
  /** What that was, exactly. */
  readonly commitId: string | null;
  /** The absolute path of the models folder that it writes to. */
  readonly folder: string;
  readonly files: readonly TransferFile[];
  /** `null` where the source does not tell. */
  readonly sizeBytes: number | null;
  readonly doneBytes: number;
  /** What the model is to be called; `null`: a short name is made. */
  readonly alias: string | null;
  readonly owner: string | null;
  readonly private: boolean;
  /** Who asked for it, and from where. */
  readonly actor: string;
  readonly origin: EventOrigin | null;
  /** Why it failed. */
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When a process first worked on it. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** The machine and the process that works on it. */
  readonly node: string | null;
  readonly pid: number | null;
}

/** What `request` takes. */
export interface NewTransfer {
  reference: string;
  modelId: string;
  sourceType: SourceType;
  repository?: string | null | undefined;
  branch?: string | null | undefined;
  commitId?: string | null | undefined;
  folder: string;
  files: readonly NewTransferFile[];
  alias?: string | null | undefined;
  /** Only its owner, who asks for it, and administrators see it. */
  private?: boolean | undefined;
}
export type NewTransferFile = Pick<TransferFile, "path" | "role" | "url"> &
  Partial<Pick<TransferFile, "sizeBytes" | "sha256" | "gitSha1" | "etag">>;

/** How far a file is. */
export type TransferFileProgress = Pick<TransferFile, "path" | "doneBytes" | "isOurs">;

/** A process's claim on a transfer: nobody else works on it as long as it is renewed. */
export interface TransferClaim {
  readonly transferId: number;
  /** Larger than that of every claim on it before. */
  readonly claim: number;
}
