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
  const model = await registry.models.update(
    options.model,
    fields,
    expectedRowVersion === undefined ? undefined : { expectedRowVersion },
  );
  printChanged(model, `Updated ${model.modelId}`, options);
}
