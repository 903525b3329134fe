import type { Registry } from "@cortex/model-db";

/** The registry as whoever asks may use it: what may not be seen is not there. */
export type Caller = Pick<Registry, "models" | "files" | "history" | "runs" | "transaction" | "watch">;

/** Who asks. */
export function callerOf(registry: Registry, _options: { actor?: string | undefined }): Caller {
  return registry;
}
