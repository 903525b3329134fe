import { openRegistry, type Model, type ModelFile } from "@cortex/model-db";

/** Every model of a registry by its id. */
export async function registryModels(location: string): Promise<Record<string, Model>> {
  await using registry = await openRegistry(location, { mode: "read" });
  const models = Object.create(null) as Record<string, Model>;
  for await (const model of registry.models.all()) models[model.modelId] = model;
  return models;
}

/** The files of one model. */
export async function registryFiles(location: string, name: string): Promise<ModelFile[]> {
  await using registry = await openRegistry(location, { mode: "read" });
  return await registry.files.list(name);
}
