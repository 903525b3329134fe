import type { Found, StoreName } from "./found-model.ts";
import type { StoreReader } from "./store-reader.ts";

/** What decides where a store is. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** The user's home folder. */
  readonly home: string;
  readonly platform: NodeJS.Platform;
}

/** How one tool keeps its models. */
export interface Store {
  readonly name: StoreName;
  /** The folders in which it may keep them, the likeliest first; they need not be there. */
  places(surroundings: Surroundings, reader: StoreReader): readonly string[];
  /** Whether a folder that somebody names is laid out as this tool does it. */
  isLaidOutIn(root: string, reader: StoreReader): boolean;
  /** What is in it. Nothing is written; what cannot be read is a finding. */
  read(root: string, reader: StoreReader): AsyncGenerator<Found, undefined>;
}
