import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";

import { isRegistryError, RegistryError, toVisible, type Registry } from "@cortex/model-db";
import {
  applyChanges,
  planChanges,
  scan as scanStores,
  toChanges,
  type Scan,
  type ScanPlan,
} from "@cortex/model-sources";

import { Interrupted } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { untilInterrupted } from "../interrupt.ts";
import { locationOf } from "../location.ts";
import { openExisting, openForWriting, openOrCreate } from "../open.ts";
import { toInventoryDocument, toInventorySummary, toInventoryTable } from "../output/inventory.ts";
import { startProgress } from "../output/progress.ts";
import { writeNote, writeOut } from "../output/stream.ts";

/** What `cortex scan` takes. */
export interface ScanVerbOptions extends Everywhere {
  /** None: the stores of every tool. */
  readonly folders: readonly string[];
  readonly adopt?: boolean;
  readonly again?: boolean;
  readonly dryRun?: boolean;
}

interface Opened {
  readonly registry: Registry | undefined;
  readonly isWritable: boolean;
}

/** Shows the models of every tool on this machine, and makes the registry say where its own are. */
export async function scan(options: ScanVerbOptions): Promise<void> {
  const { again = false, quiet = false, json = false } = options;
  const folders = options.folders.map((folder) => resolve(folder));
  const absent = folders.find((folder) => !existsSync(folder));
  if (absent !== undefined) throw new RegistryError("not_found", `There is no folder ${toVisible(absent)}.`);
  const file = folders.find((folder) => !statSync(folder).isDirectory());
  if (file !== undefined) {
    throw new RegistryError(
      "invalid_input",
      `${toVisible(file)} is no folder. \`cortex import\` takes single files.`,
    );
  }
  const signal = untilInterrupted();
  const progress = startProgress("MB read to tell files apart", quiet || json);
  const { registry, isWritable } = await open(options);
  let found: Scan;
  let plan: ScanPlan;
  try {
    found = await scanStores({
      folders: folders.length === 0 ? undefined : folders,
      location: locationOf(options),
      registry,
      keep: isWritable,
      signal,
      onProgress: ({ doneBytes }) => progress.update(Math.round(doneBytes / 1e6)),
    });
    plan = await planChanges(found, registry, { adopt: options.adopt === true || again, again });
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    throw error;
  } finally {
    progress.end();
  }
  const changes = isWritable ? await applyChanges(registry!, plan, found.contents) : toChanges(plan);
  await registry?.close();
  const outcome = { inventory: found.inventory, plan, changes, isDone: isWritable };
  if (quiet) writeOut(changes.adopted.map((modelId) => `${toVisible(modelId)}\n`).join(""));
  else if (json) writeOut(toInventoryDocument(outcome));
  else {
    writeOut(toInventoryTable(outcome, options.color));
    writeNote(toInventorySummary(outcome));
  }
}

// Without a registry there is nothing to compare with, and only adopting makes one.
async function open(options: ScanVerbOptions): Promise<Opened> {
  const adopts = options.adopt === true || options.again === true;
  const exists = existsSync(locationOf(options));
  if (options.dryRun !== true && adopts) return { registry: await openOrCreate(options), isWritable: true };
  if (!exists) return { registry: undefined, isWritable: false };
  if (options.dryRun === true) return { registry: await openExisting(options), isWritable: false };
  try {
    return { registry: await openForWriting(options), isWritable: true };
  } catch (error) {
    // Who may only look gets to see as much.
    if (!isRegistryError(error) || error.code !== "read_only") throw error;
    return { registry: await openExisting(options), isWritable: false };
  }
}
