import type { FileRole, SourceType } from "@cortex/model-db";

/** Whose store a model lies in; `cortex` are our own models folders, `folder` is any other. */
export type StoreName =
  | "cortex"
  | "huggingface"
  | "ollama"
  | "lm-studio"
  | "llama.cpp"
  | "jan"
  | "docker"
  | "ramalama"
  | "cortex.cpp"
  | "folder";

/**
 * `whole`: all its files are there, as far as their names and sizes tell; `partial`: a download that has not
 * ended, or parts are missing; `broken`: its store promises a file that is not there or is another; `detached`:
 * its store has forgotten it, and only keeps the bytes.
 */
export type FoundState = "whole" | "partial" | "broken" | "detached";

/** A file of a model as it lies in a store. */
export interface FoundFile {
  /** Absolute: where programs open it. In some stores that is a link. */
  readonly path: string;
  readonly role: FileRole;
  /** Bytes that are there; `null` where nothing is. */
  readonly sizeBytes: number | null;
  /** As the store's own names say it: 64 lower-case hexadecimal digits. */
  readonly sha256: string | null;
  /** Device and inode, the same for every name of the same file; `null` where nothing is. */
  readonly identity: string | null;
  /** Unix milliseconds; `null` where nothing is. */
  readonly modifiedAt: number | null;
}

/** Where a model came from, as far as its store tells. */
export interface Origin {
  readonly sourceType: Exclude<SourceType, "remote">;
  readonly authorRepo: string | null;
  readonly branch: string | null;
  /** 40 hexadecimal digits. */
  readonly commit: string | null;
}

/** A model as it lies in a store. */
export interface FoundModel {
  readonly kind: "model";
  readonly store: StoreName;
  /** The store's folder. */
  readonly storePath: string;
  /** As the store's own tool calls it. */
  readonly name: string;
  /** The id that it gets when it is registered. */
  readonly modelId: string;
  readonly state: FoundState;
  /** Why it is not whole, as the end of a sentence; `null` where it is. */
  readonly reason: string | null;
  readonly files: readonly FoundFile[];
  readonly origin: Origin;
  /** Where clients of the old cortex program look up what the model is. */
  readonly configPath?: string;
}

/** What a store has that cannot be understood, or be read. */
export interface Finding {
  readonly kind: "finding";
  readonly path: string;
  /** What is the matter, as the end of a sentence that begins with the path. */
  readonly problem: string;
}

/** What a store is read as, one at a time. */
export type Found = FoundModel | Finding;

/** A model of which nothing is known but that it is here. */
export const LOCAL: Origin = { sourceType: "local", authorRepo: null, branch: null, commit: null };
