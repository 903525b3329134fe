import { openRegistry, type Registry, type SchemaStatus } from "@cortex/model-db";

import { confirm, requireTerminal } from "../confirm.ts";
import { MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { locationOf } from "../location.ts";
import { requireRegistry } from "../missing-registry.ts";
import { oneOf } from "../one-of.ts";
import { painter } from "../output/color.ts";
import { toDocument } from "../output/json.ts";
import { outputColumns, writeNote, writeOut } from "../output/stream.ts";
import { toTable } from "../output/table.ts";
import { formatExact } from "../output/time.ts";

// The step that shows the models to old programs.
const OLD_CLIENTS = "old-clients";
const OLD_PROGRAM_LOSES =
  "The old cortex program uses the same file: it finds no model there any more, and can neither list, add, change nor delete one, until the registry is brought up again. How it had spelled its rows is forgotten. Its engines, hardware and files stay.";

/** What `cortex migrate` takes. */
export interface MigrateOptions extends Everywhere {
  readonly action?: string;
  /** A schema version. */
  readonly to?: number;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** Shows the registry's schema version, or changes it. */
export async function migrate(options: MigrateOptions): Promise<void> {
  const action = oneOf("migrate", options.action ?? "status", ["status", "up", "down"]);
  if (action === "status" && options.to !== undefined) throw new MisuseError("--to goes with up and down.");
  if (action === "down" && options.yes !== true && options.dryRun !== true) requireTerminal("migrate down");
  const location = locationOf(options);
  requireRegistry(location);
  await using registry = await openRegistry(location, { mode: "write", migrate: false });
  const schema = await registry.schema();
  if (action !== "status") await move(registry, schema, action, options);
  print(await registry.schema(), options);
}

async function move(
  registry: Registry,
  schema: SchemaStatus,
  direction: "up" | "down",
  options: MigrateOptions,
): Promise<void> {
  const { version, latest } = schema;
  const target = options.to ?? (direction === "up" ? latest : Math.max(0, version - 1));
  if (target > latest)
    throw new MisuseError(`There is no schema version ${target}: the latest is ${latest}.`);
  if (direction === "up" ? target < version : target > version) {
    throw new MisuseError(
      `Version ${target} is not ${direction} from here: the registry is at version ${version}.`,
    );
  }
  const falls = direction === "down" && target < version;
  if (falls) writeNote(await describeLoss(registry, schema, target));
  if (options.dryRun === true) {
    writeNote(`Would go from version ${version} to ${target}`);
    return;
  }
  if (falls && options.yes !== true) {
    await confirm(`Take the registry from version ${version} down to ${target}?`);
  }
  const { from, to } = await registry.migrate(target);
  writeNote(
    from === to ? `Nothing to do: the registry is at version ${to}` : `From version ${from} to ${to}`,
  );
  if (falls) writeNote("The next command of this version brings it up again, without that data.");
}

async function describeLoss(registry: Registry, schema: SchemaStatus, target: number): Promise<string> {
  const { version, latest } = schema;
  const gone = schema.migrations.filter((step) => step.version > target && step.version <= version);
  const names = gone.map(({ name }) => name).join(", ");
  // An older schema cannot be counted.
  const count = target === 0 && version === latest ? await registry.models.count() : undefined;
  const models =
    count === undefined ? "" : `; among it ${count === 1 ? "the only model" : `all ${count} models`}`;
  const breaksOld = schema.hasOldProgram && gone.some(({ name }) => name === OLD_CLIENTS);
  return [
    `These go, with the data that only they hold: ${names}${models}. \`cortex export\` keeps a list of the models.`,
    ...(breaksOld ? [OLD_PROGRAM_LOSES] : []),
  ].join("\n");
}

function print({ version, latest, migrations }: SchemaStatus, options: Everywhere): void {
  if (options.quiet === true) {
    writeOut(`${version}\n`);
  } else if (options.json === true) {
    const steps = migrations.map((step) => ({
      version: step.version,
      name: step.name,
      applied_at: step.appliedAt,
    }));
    writeOut(toDocument({ version, latest, migrations: steps }));
  } else {
    const rows = migrations.map(({ version: step, name, appliedAt }) => [
      String(step),
      name,
      appliedAt === null ? "not yet" : formatExact(appliedAt),
    ]);
    const columns = [{ title: "VERSION", align: "right" as const }, { title: "NAME" }, { title: "APPLIED" }];
    writeOut(toTable(columns, rows, painter(1, options.color), outputColumns()));
  }
}
