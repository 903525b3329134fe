import { importModels, type ImportOptions, type ImportResult } from "../../src/import/import-models.ts";
import type { RegistryFolder } from "../registry-folder.ts";

/** Writes several files into a folder. */
export function write(folder: RegistryFolder, files: Readonly<Record<string, Buffer | string>>): void {
  for (const [name, content] of Object.entries(files)) folder.write(name, content);
}

/** Imports paths below a folder into the registry in it. */
export async function importInto(
  folder: RegistryFolder,
  names: readonly string[],
  options: Partial<ImportOptions> = {},
): Promise<ImportResult[]> {
  return importModels(folder.registry, {
    paths: names.map((name) => folder.at(name)),
    location: folder.registry.location,
    ...options,
  });
}

/** What became of each model, in short: its outcome, and its id or why not. */
export function inShort(results: readonly ImportResult[]): [outcome: string, what: string][] {
  return results.map((result) =>
    result.outcome === "refused" ? ["refused", result.error.code] : [result.outcome, result.model.modelId],
  );
}
