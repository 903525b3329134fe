import type { GuardedRegistry, Model, Models } from "@cortex/model-db";

import type { Asked } from "../guard/asked.ts";
import { checkIfMatch } from "./etag.ts";

/**
 * Changes a model where it is still what `If-Match` names, if the request has one.
 *
 * @param change is given the models to change it by.
 * @returns what `change` returns.
 * @throws RegistryError `row_version_mismatch`, `model_not_found`; and what `change` throws.
 */
export async function changeIfMatch(
  caller: GuardedRegistry,
  asked: Pick<Asked, "header">,
  name: string,
  change: (models: Models) => Promise<Model>,
): Promise<Model> {
  const header = asked.header("if-match");
  if (header === undefined) return change(caller.models);
  // A model deleted and registered again in between can have the same version, so its number is not enough.
  return caller.transaction(async ({ models }) => {
    checkIfMatch(header, await models.resolve(name));
    return change(models);
  });
}
