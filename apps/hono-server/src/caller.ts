import type { GuardedRegistry } from "@cortex/model-db";

/** The registry as whoever asks may use it: what may not be seen is not there. */
export type Caller = GuardedRegistry;
