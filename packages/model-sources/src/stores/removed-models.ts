import type { History, JsonValue } from "@cortex/model-db";

import type { Contents } from "./contents.ts";
import type { FoundModel } from "./found-model.ts";

/** What was taken out of the registry, whoever did it: by id, by the paths of its weights, and by their contents. */
export class RemovedModels {
  readonly #traces = new Set<string>();

  /** Reads the whole history of removals. */
  static async read(history: History): Promise<RemovedModels> {
    const removed = new RemovedModels();
    for await (const { modelId, before } of history.all({ kind: "deleted" })) {
      removed.#traces.add(`id ${modelId}`);
      for (const file of filesOf(before?.["files"])) {
        if (file["role"] !== "weights") continue;
        const { path, sha256 } = file;
        if (typeof path === "string") removed.#traces.add(`path ${path}`);
        if (typeof sha256 === "string") removed.#traces.add(`sha256 ${sha256}`);
      }
    }
    return removed;
  }

  /** Whether a found model is one that was taken out. */
  has({ modelId, files }: FoundModel, contents: Contents): boolean {
    if (this.#traces.has(`id ${modelId}`)) return true;
    return files.some((file) => {
      if (file.role !== "weights") return false;
      const sha256 = contents.sha256Of(file);
      return (
        this.#traces.has(`path ${file.path}`) || (sha256 !== null && this.#traces.has(`sha256 ${sha256}`))
      );
    });
  }
}

function filesOf(files: JsonValue | undefined): readonly Readonly<Record<string, JsonValue>>[] {
  return Array.isArray(files) ? (files as Record<string, JsonValue>[]) : [];
}
