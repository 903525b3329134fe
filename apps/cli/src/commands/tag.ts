import { toVisible } from "@cortex/model-db";

import { MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { openExisting, openForWriting } from "../open.ts";
import { printChanged } from "../output/changed.ts";
import { toDocument } from "../output/json.ts";
import { writeOut } from "../output/stream.ts";

/** What `cortex tag` takes. */
export interface TagOptions extends Everywhere {
  readonly model: string;
  /** `+tag` or `tag` adds, `-tag` removes. */
  readonly changes: readonly string[];
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

/** Adds labels to a model and takes some away; without a change it prints them. */
export async function tag(options: TagOptions): Promise<void> {
  const { add, remove } = toChange(options);
  if (add.length + remove.length === 0) {
    await printTags(options);
    return;
  }
  await using registry = await openForWriting(options);
  const model = await registry.models.changeTags(options.model, { add, remove });
  const tags = model.tags.length === 0 ? "no tags" : `the tags ${model.tags.join(", ")}`;
  printChanged(model, `${model.modelId} has ${tags} now`, options);
}

function toChange({ changes, add = [], remove = [] }: TagOptions): { add: string[]; remove: string[] } {
  const empty = changes.find((change) => change === "" || change === "+" || change === "-");
  if (empty !== undefined) throw new MisuseError(`"${empty}" names no tag: write +chat or -chat.`);
  return {
    add: [
      ...add,
      ...changes.filter((change) => !change.startsWith("-")).map((change) => change.replace(/^\+/, "")),
    ],
    remove: [
      ...remove,
      ...changes.filter((change) => change.startsWith("-")).map((change) => change.slice(1)),
    ],
  };
}

async function printTags(options: TagOptions): Promise<void> {
  const registry = await openExisting(options);
  const model = await registry.models.resolve(options.model);
  await registry.close();
  if (options.json === true) writeOut(toDocument({ model_id: model.modelId, tags: model.tags }));
  else writeOut(model.tags.map((label) => `${toVisible(label)}\n`).join(""));
}
