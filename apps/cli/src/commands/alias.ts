import { toVisible, type Model, type Models } from "@cortex/model-db";

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

/**
 * Changes the names of a model, all at once or not at all; without a change it prints them. A new first
 * alias does not take the old one away, which somebody may use.
 */
export async function alias(options: AliasOptions): Promise<void> {
  const { alias: first, add = [], remove = [], repoint = [] } = options;
  if (first === undefined && add.length + remove.length + repoint.length === 0) {
    await printAliases(options);
    return;
  }
  await using registry = await openForWriting(options);
  const { before, after, moved } = await registry.transaction(async ({ models }) => {
    const found = await models.resolve(options.model);
    // By its id, which stays while the aliases change.
    const { modelId } = found;
    if (remove.length > 0) await models.changeAliases(modelId, { remove });
    const origins = new Map<string, string>();
    for (const name of repoint) {
      const owner = await models.findByName(name);
      if (owner === undefined) origins.set(name, "a new alias");
      else if (owner.modelId !== modelId) origins.set(name, `taken from ${owner.modelId}`);
      await models.repointAlias(name, modelId);
    }
    if (add.length > 0) await models.changeAliases(modelId, { add });
    if (first !== undefined) await putFirst(models, modelId, first);
    return { before: found, after: await models.get(modelId), moved: origins };
  });
  printChanged(after, describe(before, after, moved), options);
}

async function putFirst(models: Models, modelId: string, first: string): Promise<void> {
  const { alias: old, aliases } = await models.get(modelId);
  if (first === "") await models.update(modelId, { alias: null });
  else await models.update(modelId, { alias: first, aliases: old === null ? aliases : [old, ...aliases] });
}

async function printAliases(options: AliasOptions): Promise<void> {
  const registry = await openExisting(options);
  const model = await registry.models.resolve(options.model);
  await registry.close();
  if (options.json === true)
    writeOut(toDocument({ model_id: model.modelId, alias: model.alias, aliases: model.aliases }));
  else
    writeOut(
      namesOf(model)
        .map((name) => `${toVisible(name)}\n`)
        .join(""),
    );
}

function describe(before: Model, after: Model, moved: ReadonlyMap<string, string>): string {
  const { modelId } = after;
  // An alias may be the id itself, which says nothing new.
  const old = namesOf(before).filter((name) => name !== modelId);
  const now = namesOf(after).filter((name) => name !== modelId);
  const come = now.filter(
    (name) => !old.includes(name) || (name === after.alias && after.alias !== before.alias),
  );
  const others = now.filter((name) => !come.includes(name));
  const gone = old.filter((name) => !now.includes(name));
  const told = come.map((name) => (moved.has(name) ? `${name} (${moved.get(name)!})` : name));
  const parts = [];
  if (come.length > 0) parts.push(`${modelId} is now also ${told.join(", ")}`);
  else if (others.length > 0) parts.push(`${modelId} is also ${others.join(", ")}`);
  else parts.push(`${modelId} has no alias now`);
  if (come.length > 0 && others.length > 0) parts.push(`its other names: ${others.join(", ")}`);
  if (gone.length > 0) parts.push(`no longer: ${gone.join(", ")}`);
  return parts.join("; ");
}

function namesOf({ alias: first, aliases }: Model): string[] {
  return first === null ? [...aliases] : [first, ...aliases];
}
