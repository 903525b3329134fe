import { nearest, RegistryError, type Model, type Models } from "@cortex/model-db";

import { quote } from "./values.ts";

const MOST_SHOWN = 10;

/**
 * The model that a word means: an id, an alias, or the beginning of a name that only one model has.
 * @returns the model, and whether the word was only a beginning
 * @throws RegistryError `model_not_found`, naming the candidates
 */
export async function resolveBeginning(
  models: Models,
  name: string,
): Promise<{ model: Model; short: boolean }> {
  const exact = await models.findByName(name);
  if (exact !== undefined) return { model: exact, short: false };
  const beginning = await models.names({ prefix: name, limit: 200 });
  // One model may have several names that begin so: each model once, by the first of them.
  const byModel = new Map(beginning.toReversed().map((found) => [found.modelId, found.name]));
  const names = [...byModel.values()].toReversed();
  const [first] = names;
  if (names.length === 1) return { model: await models.resolve(first!), short: true };
  if (names.length > 1) throw notFound(`${quote(name)} could be several models:`, names);
  const similar = await models.names({ prefix: name.slice(0, 2), limit: 200 });
  const near = nearest(
    name,
    similar.map((found) => found.name),
  );
  if (near !== undefined) throw notFound(`There is no model ${quote(name)}. Did you mean ${near}?`, []);
  const containing = await models.list({ search: name, limit: MOST_SHOWN + 1 });
  const holding = containing.items.map(({ modelId }) => modelId);
  if (holding.length === 0) throw noSuchModel(name);
  throw notFound(`There is no model ${quote(name)}. These have it in them:`, holding);
}

function noSuchModel(name: string): RegistryError {
  return notFound(`There is no model ${quote(name)}. \`cortex list\` shows what there is.`, []);
}

function notFound(sentence: string, names: readonly string[]): RegistryError {
  const shown = names.length > MOST_SHOWN ? [...names.slice(0, MOST_SHOWN), "…"] : names;
  return new RegistryError("model_not_found", [sentence, ...shown].join("\n  "));
}
