import type { Model, ModelFile, Repositories } from "@cortex/model-db";

const PAGE = 1000;

/** A model with what is recorded of its files. */
export interface ModelWithFiles {
  readonly model: Model;
  readonly files: readonly ModelFile[];
}

/** Every model of a registry with its files, by id, a page at a time. */
export async function* everyModel({
  models,
  files,
}: Pick<Repositories, "models" | "files">): AsyncGenerator<ModelWithFiles, undefined> {
  for (let cursor: string | null = null; ;) {
    const { items, nextCursor } = await models.list({
      sort: { field: "model_id", direction: "asc" },
      limit: PAGE,
      cursor,
    });
    const byId = await files.listMany(items.map(({ modelId }) => modelId));
    for (const model of items) yield { model, files: byId.get(model.modelId) ?? [] };
    if (nextCursor === null) return;
    cursor = nextCursor;
  }
}
