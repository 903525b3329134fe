import { toVisible, type Model } from "@cortex/model-db";

import type { Everywhere } from "../everywhere.ts";
import { openExisting, openForWriting } from "../open.ts";
import { printChanged } from "../output/changed.ts";
import { toDocument } from "../output/json.ts";
import { writeOut } from "../output/stream.ts";

/** What `cortex alias` takes. */
export interface AliasOptions extends Everywhere {
  readonly model: string;
  /** The new first alias; an empty text: none. */
  readonly alias?: string;
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  readonly repoint?: readonly string[];
}

/** Changes the names of a model, all at once or not at all; without a change it prints them. */
export async function alias(options: AliasOptions): Promise<void> {
  const { alias: first, add = [], remove = [], repoint = [] } = options;
  if (first === undefined && add.length + remove.length + repoint.length === 0) {
    await printAliases(options);
    return;
  }
  await using registry = await openForWriting(options);
  const model = await registry.transaction(async ({ models }) => {
    // By its id, which stays while the aliases change.
    let { modelId } = await models.resolve(options.model);
    if (remove.length > 0) await models.changeAliases(modelId, { remove });
    for (const name of repoint) ({ modelId } = await models.repointAlias(name, modelId));
    if (add.length > 0) await models.changeAliases(modelId, { add });
    if (first !== undefined) await models.update(modelId, { alias: first === "" ? null : first });
    return await models.get(modelId);
  });
  printChanged(model, describe(model), options);
}

async function printAliases(options: AliasOptions): Promise<void> {
  const registry = await openExisting(options);
  const model = await registry.models.resolve(options.model);
  await registry.close();
  const names = model.alias === null ? model.aliases : [model.alias, ...model.aliases];
  if (options.json === true)
    writeOut(toDocument({ model_id: model.modelId, alias: model.alias, aliases: model.aliases }));
  else writeOut(names.map((name) => `${toVisible(name)}\n`).join(""));
}

function describe({ modelId, alias: first, aliases }: Model): string {
  const names = first === null ? aliases : [first, ...aliases];
  return names.length === 0 ? `${modelId} has no alias now` : `${modelId} is also ${names.join(", ")}`;
}
