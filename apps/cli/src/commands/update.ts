import { MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { toModelFields, type ModelFlags } from "../model-flags.ts";
import { openForWriting } from "../open.ts";
import { printChanged } from "../output/changed.ts";
import { quote } from "../values.ts";

/** What `cortex update` takes. */
export interface UpdateOptions extends Everywhere, ModelFlags {
  /** One; with `files` any number, and none means all. */
  readonly models: readonly string[];
  readonly expectedRowVersion?: number;
  /** Fetch newer revisions instead. */
  readonly files?: boolean;
  /** With `files`: only show what would be fetched. */
  readonly dryRun?: boolean;
}

/** Changes the fields that flags name, and no others; or fetches what is newer at the source. */
export async function update(options: UpdateOptions): Promise<number | void> {
  const fields = toModelFields(options);
  const names = Object.keys(fields);
  if (options.files === true) {
    if (names.length > 0 || options.expectedRowVersion !== undefined)
      throw new MisuseError("--files fetches files: change fields with another `cortex update`.");
    return (await import("../update-files.ts")).updateFiles(options);
  }
  const [name, extra] = options.models;
  if (name === undefined) throw new MisuseError("<model> is missing: cortex update <model>.");
  if (extra !== undefined)
    throw new MisuseError(`${quote(extra)} is one argument too many: cortex update <model>.`);
  if (options.dryRun === true) throw new MisuseError("--dry-run goes with --files.");
  if (names.length === 0)
    throw new MisuseError("Nothing to change: `cortex update --help` lists the fields.");
  await using registry = await openForWriting(options);
  const { expectedRowVersion } = options;
  const guard = expectedRowVersion === undefined ? undefined : { expectedRowVersion };
  const { before, model } = await registry.transaction(async ({ models }) => {
    const found = await models.resolve(name);
    return { before: found, model: await models.update(found.modelId, fields, guard) };
  });
  const { modelId, alias, aliases } = model;
  const lost = before.alias !== null && before.alias !== alias && !aliases.includes(before.alias);
  const told = lost && before.alias !== modelId ? `; ${before.alias} does not mean it any more` : "";
  const done = model.rowVersion === before.rowVersion ? "Nothing to change in" : "Updated";
  printChanged(model, `${done} ${modelId}${told}`, options);
}
