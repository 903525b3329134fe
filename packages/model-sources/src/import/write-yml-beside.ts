import { dirname } from "node:path";

import type { Model, ModelFile } from "@cortex/model-db";

import { seenFrom } from "../recorded-path.ts";
import { writeModelYml } from "../transfers/model-yml.ts";
import type { LocalModel } from "./local-model.ts";
import type { ImportRegistry } from "./register-model.ts";

/**
 * Writes the YAML by which clients of the old program know a model beside its files in a models folder, and records
 * that. They only run GGUF files.
 *
 * @param files as they are recorded.
 * @param location the registry's file.
 */
export async function writeYmlBeside(
  registry: ImportRegistry,
  { modelId }: Pick<Model, "modelId">,
  { facts, sizeBytes }: LocalModel,
  files: readonly ModelFile[],
  location: string,
): Promise<void> {
  const weights = files.filter(({ role }) => role === "weights");
  const [first] = weights;
  if (facts.format !== "gguf" || first === undefined) return;
  const path = first.path.replace(/\.gguf$/i, "") + ".yml";
  const dataFolder = dirname(location);
  const isWritten = await writeModelYml(path, dataFolder, {
    modelId,
    weights: weights.map((file) => file.path),
    projector: files.find(({ role }) => role === "mmproj")?.path,
    sizeBytes,
    facts,
  });
  if (!isWritten) return;
  await registry.transaction(async (repositories) => {
    // Old programs change it: nothing is recorded of its content.
    await repositories.files.put(modelId, { path, role: "config", source: first.source });
    await repositories.models.update(modelId, { configPath: seenFrom(dataFolder, path) });
  });
}
