import { toRecord, type ListOptions, type Model, type Page, type RegistryReader } from "@cortex/model-db";

import { toListDocument } from "./output/json.ts";
import { writeOut } from "./output/stream.ts";

const EMPTY: Page<Model> = { items: [], nextCursor: null, total: 0 };

/**
 * Prints one page of the models that are asked for, as records.
 * @param registry `undefined` where there is none.
 */
export async function listAsJson(registry: RegistryReader | undefined, wanted: ListOptions): Promise<void> {
  const { items, nextCursor, total } = registry === undefined ? EMPTY : await registry.models.list(wanted);
  writeOut(toListDocument(items.map(toRecord), nextCursor, wanted.total === true ? total : undefined));
}
