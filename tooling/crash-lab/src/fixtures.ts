import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { createSnapshot, openRegistry, type NewModel } from "@cortex/model-db";

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

/** Makes a registry with a backup of all of it, and damages its file: a repair can bring everything back. */
export async function makeDamagedRegistry(folder: string, models: readonly NewModel[]): Promise<void> {
  const location = join(folder, REGISTRY_FILE);
  await makeRegistry(folder, models);
  await createSnapshot(location, join(folder, BACKUP_FOLDER));
  const bytes = readFileSync(location);
  for (let page = 3; page < bytes.length / 4096; page += 5) bytes.fill(0, page * 4096, (page + 1) * 4096);
  writeFileSync(location, bytes);
}
