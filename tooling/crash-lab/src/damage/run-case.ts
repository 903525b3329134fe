import { hash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import {
  checkRegistry,
  isRegistryError,
  openRegistry,
  repairRegistry,
  type RepairReport,
} from "@cortex/model-db";

import { REGISTRY_FILE } from "../fixtures.ts";
import type { Damage } from "./damages.ts";
import { readModels, type ModelRows } from "./models.ts";
import type { BackupKind, Source, SourceState } from "./source.ts";

/** How it ended. */
export interface CaseResult {
  /** `whole`: nothing was wrong with it. `refused`: nothing to repair from, and said so. */
  readonly outcome: "whole" | "repaired" | "refused";
  /** Which part of the models came back exactly: 0 to 1. */
  readonly share: number;
  /** How many deleted models came back. */
  readonly ghosts: number;
  /** Broken promises. */
  readonly problems: readonly string[];
}

/**
 * Damages a copy of a registry and repairs it, with what backup there is.
 *
 * @param folder is made, and removed again.
 */
export async function runCase(
  source: Source,
  damage: Damage,
  backup: BackupKind,
  folder: string,
): Promise<CaseResult> {
  const state = source.states.find(({ name }) => name === damage.state)!;
  mkdirSync(folder);
  try {
    const from = layOut(state, backup, folder);
    damage.apply(folder);
    return await repairAndCompare(source, state, backup, folder, from);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Puts the files in place. @returns the backup to name, where nothing beside the registry names it. */
function layOut(state: SourceState, backup: BackupKind, folder: string): string | undefined {
  for (const file of readdirSync(state.folder)) copyFileSync(join(state.folder, file), join(folder, file));
  if (backup === "none") return undefined;
  const kept = join(folder, "backup");
  cpSync(state.backups[backup], kept, { recursive: true });
  if (backup === "snapshot") return kept;
  // As `followBackup` leaves it.
  const { registry_id } = JSON.parse(readFileSync(join(kept, "backup.json"), "utf8")) as {
    registry_id: string;
  };
  writeFileSync(
    join(folder, `${REGISTRY_FILE}.backup.json`),
    JSON.stringify({ format: 1, registry_id, folder: kept }),
  );
  return undefined;
}

async function repairAndCompare(
  source: Source,
  { truth }: SourceState,
  backup: BackupKind,
  folder: string,
  from: string | undefined,
): Promise<CaseResult> {
  const location = join(folder, REGISTRY_FILE);
  const damaged = digestsOf(folder);
  const problems: string[] = [];
  let report: RepairReport | undefined;
  try {
    report = await repairRegistry(location, { from });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    if (!isRegistryError(error)) problems.push(`it crashed: ${said}`);
    else if (backup !== "none") problems.push(`it was refused, with a backup: ${said}`);
    if (digestsOf(folder) !== damaged) problems.push("a refused repair changed the files");
    return { outcome: "refused", share: 0, ghosts: 0, problems };
  }
  if (report?.setAside != null && digestsOf(report.setAside) !== damaged) {
    problems.push("what was set aside is not what was damaged");
  }
  problems.push(...(await openAndCheck(location)));
  const found = readModels(location);
  const compared = compare(found, truth, source.versions);
  const doubted = new Set(
    report?.models.filter(({ state }) => state !== "recovered").map(({ modelId }) => modelId),
  );
  const good = compared.altered.filter((id) => !doubted.has(id));
  if (good.length > 0) problems.push(`served as good: ${good.slice(0, 3).join(", ")}`);
  // Which models a change that is nowhere was of, nobody can know.
  const told = report !== undefined && (report.missingEvents.length > 0 || !report.endKnown);
  const unnamed = told ? [] : compared.inexact.filter((id) => !doubted.has(id));
  if (unnamed.length > 0) {
    problems.push(`lost without a word: ${unnamed.length} models, such as ${unnamed.slice(0, 3).join(", ")}`);
  }
  return {
    outcome: report === undefined ? "whole" : "repaired",
    share: 1 - compared.missed / truth.size,
    ghosts: compared.ghosts,
    problems,
  };
}

async function openAndCheck(location: string): Promise<string[]> {
  const problems: string[] = [];
  try {
    {
      await using registry = await openRegistry(location);
      await registry.models.create({ modelId: "goes on", sourceType: "local", alias: null });
      await registry.models.delete("goes on");
    }
    for await (const { severity, code, message } of checkRegistry(location, { full: true })) {
      if (severity === "damage") problems.push(`after the repair: ${code}: ${message}`);
    }
  } catch (error) {
    problems.push(`after the repair: ${error instanceof Error ? error.message : String(error)}`);
  }
  return problems.slice(0, 3);
}

interface Comparison {
  /** Ids of models that are not what they were, or that were deleted. */
  readonly inexact: readonly string[];
  /** Ids of models with a row that was never so. */
  readonly altered: readonly string[];
  readonly missed: number;
  readonly ghosts: number;
}

function compare(
  found: ReadonlyMap<string, ModelRows>,
  truth: ReadonlyMap<string, ModelRows>,
  versions: ReadonlySet<string>,
): Comparison {
  const missed = [...truth].flatMap(([id, rows]) => (found.get(id)?.join() === rows.join() ? [] : [id]));
  const ghosts = [...found.keys()].filter((id) => !truth.has(id));
  const altered = [...found].flatMap(([id, rows]) => (rows.every((row) => versions.has(row)) ? [] : [id]));
  return { inexact: [...missed, ...ghosts], altered, missed: missed.length, ghosts: ghosts.length };
}

// Whoever looks at a registry makes an empty log and its index; neither holds anything of it.
function digestsOf(folder: string): string {
  return [REGISTRY_FILE, `${REGISTRY_FILE}-wal`]
    .map((file) => {
      const path = join(folder, file);
      const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
      return hash("sha1", bytes);
    })
    .join();
}
