import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import {
  createSnapshot,
  isRegistryError,
  listSnapshots,
  openRegistry,
  type Registry,
} from "@cortex/model-db";

import { mountSmallDisk, type SmallDisk } from "../disk/small-disk.ts";
import type { Experiment, Outcome, Setting } from "../experiment.ts";
import { BACKUP_FOLDER, makeRegistry, numberedModels, REGISTRY_FILE } from "../fixtures.ts";
import type { AcknowledgedChange } from "../kill/acknowledged.ts";
import { checkHistory } from "../kill/check-history.ts";
import { createMemoryFolder } from "../memory-folder.ts";
import { readContent } from "../registry-content.ts";

/** The disk is full, read-only, or the folder is not there. */
export const disk: Experiment = {
  name: "disk",
  about: "the disk is full or read-only, or the folder is missing",
  run,
};

const MEGABYTE = 1024 * 1024;
const DELETIONS = 40;

async function run({ seed, long, say }: Setting): Promise<Outcome> {
  const place = createMemoryFolder();
  const failures: string[] = await withoutFolder(place);
  const figures = { disks: 0, acknowledged: 0, refused: 0, deletedWhileFull: 0 };
  let skipped: string | undefined;
  const folder = join(place, "disk");
  for (let index = 0; index < (long ? 24 : 4); index++) {
    const sizeBytes = 3 * MEGABYTE + index * 333_333;
    using small = mountSmallDisk(folder, sizeBytes);
    if (small === undefined) {
      skipped = "only root can mount a small disk";
      break;
    }
    const found = await fillUp(small);
    failures.push(...found.problems.map((problem) => `a disk of ${sizeBytes} bytes: ${problem}`));
    figures.disks++;
    figures.acknowledged += found.acknowledged;
    figures.refused += found.refused;
    figures.deletedWhileFull += found.deletedWhileFull;
    failures.push(...(await readOnly(small)));
  }
  rmSync(place, { recursive: true });
  if (skipped !== undefined) say(`disk: ${skipped}`);
  const { disks, acknowledged, refused, deletedWhileFull } = figures;
  const summary = `disk: ${disks} disks filled, ${acknowledged} acknowledged changes, ${refused} refused as disk_full, ${deletedWhileFull} deletions on a full disk: ${failures.length} failures, seed ${seed}.`;
  return { summary, figures, failures, ...(skipped === undefined ? {} : { skipped }) };
}

/** Writes until there is no room, deletes, and goes on when there is some again. */
async function fillUp(
  small: SmallDisk,
): Promise<{ problems: string[]; acknowledged: number; refused: number; deletedWhileFull: number }> {
  const location = join(small.folder, REGISTRY_FILE);
  const acknowledged: AcknowledgedChange[] = [];
  const problems: string[] = [];
  let refused = 0;
  const expectFull = async (what: string, work: Promise<unknown>): Promise<void> => {
    const code = await codeOf(work);
    if (code === "disk_full") refused++;
    else problems.push(`${what} on a full disk: ${code}`);
  };
  const remove = async (registry: Registry, modelId: string): Promise<void> => {
    const { rowVersion } = await registry.models.delete(modelId);
    acknowledged.push({ modelId, rowVersion, deleted: true });
  };
  await makeRegistry(small.folder, numberedModels("there", 100));
  {
    await using registry = await openRegistry(location);
    const before = readContent(location).digest;
    await expectFull("an import", registry.models.createMany(numberedModels("large", 20_000)));
    if (readContent(location).digest !== before) problems.push("a refused import changed something");
    small.fill();
    for (let made = 0; ; made++) {
      const [model] = numberedModels(`made${made}`, 1);
      try {
        const { modelId, rowVersion } = await registry.models.create(model!);
        acknowledged.push({ modelId, rowVersion, deleted: false });
      } catch (error) {
        await expectFull("a change", Promise.reject(error));
        break;
      }
    }
    const full = readContent(location).digest;
    await expectFull("a change", registry.models.update("there-1", { notes: "x".repeat(50_000) }));
    await expectFull("a snapshot", createSnapshot(location, join(small.folder, BACKUP_FOLDER)));
    if (listSnapshots(join(small.folder, BACKUP_FOLDER)).length > 0)
      problems.push("half a snapshot is there");
    if (readContent(location).digest !== full) problems.push("a refused change changed something");
    // What a person does about it.
    for (let index = 0; index < DELETIONS; index++) await remove(registry, `there-${index}`);
  }
  // Nobody has it open any more: its log and what that is found by have to be made anew.
  rmSync(join(small.folder, BACKUP_FOLDER), { recursive: true, force: true });
  small.fill();
  {
    await using reader = await openRegistry(location, { mode: "read" });
    if ((await reader.models.count({ filter: { model_id: { like: "there" } } })) !== 100 - DELETIONS) {
      problems.push("a model is missing, or one too many is there");
    }
  }
  for (let index = DELETIONS; index < DELETIONS + 3; index++) {
    await using registry = await openRegistry(location);
    await remove(registry, `there-${index}`);
  }
  small.clear();
  {
    await using registry = await openRegistry(location);
    const { modelId, rowVersion } = await registry.models.create({ modelId: "room", sourceType: "local" });
    acknowledged.push({ modelId, rowVersion, deleted: false });
  }
  problems.push(...checkHistory(location, acknowledged));
  return { problems, acknowledged: acknowledged.length, refused, deletedWhileFull: DELETIONS + 3 };
}

async function readOnly(small: SmallDisk): Promise<string[]> {
  const location = join(small.folder, REGISTRY_FILE);
  const before = readdirSync(small.folder);
  small.makeReadOnly();
  const places = {
    there: location,
    new: join(small.folder, "new.db"),
    deep: join(small.folder, "new/new.db"),
  };
  const problems: string[] = [];
  for (const [name, path] of Object.entries(places)) {
    const code = await codeOf(changeOnce(path));
    if (code !== "read_only") problems.push(`a change (${name}): ${code}`);
  }
  if (readdirSync(small.folder).join() !== before.join()) problems.push("a file was made");
  return problems.map((problem) => `a read-only disk: ${problem}`);
}

async function changeOnce(location: string): Promise<void> {
  await using registry = await openRegistry(location);
  await registry.models.create({ modelId: "one more", sourceType: "local" });
}

async function withoutFolder(place: string): Promise<string[]> {
  const folder = join(place, "missing");
  const location = join(folder, REGISTRY_FILE);
  const codes = [
    await codeOf(openRegistry(location, { mode: "read" })),
    await codeOf(openRegistry(location, { mode: "write" })),
    await codeOf(createSnapshot(location, join(folder, BACKUP_FOLDER))),
  ];
  const problems = codes.filter((code) => code !== "not_found");
  if (existsSync(folder)) problems.push("it was made");
  return problems.map((problem) => `a missing folder: ${problem}`);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "no failure";
  } catch (error) {
    return isRegistryError(error) ? error.code : String(error);
  }
}
