import { MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { toModelFields, type ModelFlags } from "../model-flags.ts";
import { openForWriting } from "../open.ts";
import { printChanged } from "../output/changed.ts";

/** What `cortex update` takes. */
export interface UpdateOptions extends Everywhere, ModelFlags {
  readonly model: string;
  readonly expectedRowVersion?: number;
}

/** Changes the fields that flags name, and no others. */
export async function update(options: UpdateOptions): Promise<void> {
  const fields = toModelFields(options);
  const names = Object.keys(fields);
  if (names.length === 0)
    throw new MisuseError("Nothing to change: `cortex update --help` lists the fields.");
  await using registry = await openForWriting(options);
  const { expectedRowVersion } = options;
  const guard = expectedRowVersion === undefined ? undefined : { expectedRowVersion };
  const { before, model } = await registry.transaction(async ({ models }) => {
    const found = await models.resolve(options.model);
    return { before: found, model: await models.update(found.modelId, fields, guard) };
  });
  const { modelId, alias, aliases } = model;
  const lost = before.alias !== null && before.alias !== alias && !aliases.includes(before.alias);
  const told = lost && before.alias !== modelId ? `; ${before.alias} does not mean it any more` : "";
  const done = model.rowVersion === before.rowVersion ? "Nothing to change in" : "Updated";
  printChanged(model, `${done} ${modelId}${told}`, options);
}
