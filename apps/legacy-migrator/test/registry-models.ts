import { openRegistry, type Model, type ModelFile } from "@cortex/model-db";

/** Every model of a registry by its id. */
export async function registryModels(location: string): Promise<Record<string, Model>> {
  await using registry = await openRegistry(location, { mode: "read" });
  const models = Object.create(null) as Record<string, Model>;
  let cursor: string | null = null;
  do {
    const page: { items: readonly Model[]; nextCursor: string | null } = await registry.models.list({
      limit: 1000,
      ...(cursor === null ? {} : { cursor }),
    });
    for (const model of page.items) models[model.modelId] = model;
    cursor = page.nextCursor;
  } while (cursor !== null);
  return models;
}

/** The files of one model. */
export async function registryFiles(location: string, name: string): Promise<ModelFile[]> {
  await using registry = await openRegistry(location, { mode: "read" });
  return await registry.files.list(name);
}
