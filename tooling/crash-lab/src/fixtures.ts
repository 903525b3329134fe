import { join } from "node:path";

import { openRegistry, type NewModel } from "@cortex/model-db";

export const REGISTRY_FILE = "registry.db";
export const BACKUP_FOLDER = "backup";

/** Models with ids that begin with a word. */
export function numberedModels(word: string, count: number): NewModel[] {
  return Array.from({ length: count }, (_, index) => ({
    modelId: `${word}-${index}`,
    sourceType: "local",
    alias: `${word}.${index}`,
    notes: `to be indexed ${index} `.repeat(index % 20),
    tags: [word, `tag-${index % 7}`],
    files: [{ path: `/models/${word}-${index}.gguf`, role: "weights" }],
  }));
}

/** Makes a registry with models in a folder, of a schema that may be older. */
export async function makeRegistry(
  folder: string,
  models: readonly NewModel[],
  schema?: number,
): Promise<void> {
  await using registry = await openRegistry(join(folder, REGISTRY_FILE));
  await registry.models.createMany(models);
  if (schema !== undefined) await registry.migrate(schema);
}
