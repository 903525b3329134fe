import { readdirSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

import {
  hasForbiddenCharacter,
  type FileRole,
  type JsonObject,
  type JsonValue,
  type NewModelFile,
} from "@cortex/model-db";

import { resolveLegacyPath } from "./config-path.ts";
import type { Disk } from "./disk.ts";
import type { LegacyNote } from "./legacy-entry.ts";
import { readModelYml } from "./model-yml.ts";

/** What the disk says about a model of the old store. */
export interface ModelFacts {
  /** Absolute; `null` where the record names none. */
  readonly configPath: string | null;
  readonly hasConfig: boolean;
  readonly yml: JsonObject | undefined;
  readonly files: readonly NewModelFile[];
  /** How many files of weights there should be, and are. */
  readonly weightsExpected: number;
  readonly weightsFound: number;
  /** Of all weights and the projector that are there. */
  readonly sizeBytes: number;
  /** Unix milliseconds, from the times of the YAML file; `undefined` where they make no sense. */
  readonly createdAt: number | undefined;
  readonly updatedAt: number | undefined;
  readonly notes: readonly LegacyNote[];
}

const SHARD = /^(.+)-(\d{5})-of-(\d{5})(\.gguf)$/i;
const MAX_SHARDS = 1000;
const MAX_PATH_LENGTH = 4096;
const WEIGHTS: ReadonlySet<string> = new Set([
  ".gguf",
  ".onnx",
  ".engine",
  ".safetensors",
  ".bin",
  ".pt",
  ".pth",
]);
const DAY_MS = 86_400_000;

/**
 * Looks at the YAML and the weights that a record points at. Reads only.
 *
 * @param written the path of the YAML, as the record has it.
 * @param isRemote whether it is a model behind an API, which has no weights.
 */
export function readModelFacts(
  written: string | null,
  isRemote: boolean,
  dataFolder: string,
  disk: Disk,
): ModelFacts {
  if (written === null || written === "") return NOTHING;
  const notes: LegacyNote[] = [];
  const config = resolveLegacyPath(written, dataFolder, disk);
  if (config.moved) {
    notes.push({ code: "config_moved", text: `The data folder was moved: ${written} is now ${config.path}` });
  }
  const stats = config.exists ? disk.fileAt(config.path) : undefined;
  if (stats === undefined && isRemote) return { ...NOTHING, configPath: config.path, notes };
  if (stats === undefined) {
    const files = neighbours(config.path, disk);
    const sizeBytes = files.reduce((sum, file) => sum + (file.sizeBytes ?? 0), 0);
    const found = files.length;
    return {
      ...NOTHING,
      configPath: config.path,
      files,
      weightsExpected: 1,
      weightsFound: found,
      sizeBytes,
      notes,
    };
  }
  const { fields, problem } = readModelYml(config.path, stats.size);
  if (problem !== undefined) {
    notes.push({ code: "yml_unreadable", text: `${config.path} cannot be read as YAML: ${problem}` });
  }
  const files: NewModelFile[] = [{ path: config.path, role: "config", sizeBytes: stats.size }];
  const seen = new Set([config.path]);
  const { paths, projector } = isRemote
    ? { paths: [], projector: undefined }
    : filesOf(fields, config.path, dataFolder, disk, notes);
  for (const path of paths) {
    if (seen.has(path)) continue;
    seen.add(path);
    if (hasForbiddenCharacter(path) || path.length > MAX_PATH_LENGTH) {
      notes.push({ code: "file_refused", text: `A file of the model has no usable path: ${path}` });
      continue;
    }
    const role = path === projector ? "mmproj" : roleOf(path);
    files.push({ path, role, sizeBytes: disk.fileAt(path)?.size ?? null });
  }
  const weights = files.filter(({ role }) => role === "weights");
  const present = files.filter(
    ({ role, sizeBytes }) => (role === "weights" || role === "mmproj") && sizeBytes !== null,
  );
  const updatedAt = sane(stats.mtimeMs);
  const born = sane(stats.birthtimeMs);
  return {
    configPath: config.path,
    hasConfig: true,
    yml: fields,
    files,
    weightsExpected: weights.length,
    weightsFound: weights.filter(({ sizeBytes }) => sizeBytes !== null).length,
    sizeBytes: present.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0),
    // A copied file is born after its last change.
    createdAt:
      born !== undefined && updatedAt !== undefined ? Math.min(born, updatedAt) : (updatedAt ?? born),
    updatedAt,
    notes,
  };
}

const NOTHING: ModelFacts = {
  configPath: null,
  hasConfig: false,
  yml: undefined,
  files: [],
  weightsExpected: 0,
  weightsFound: 0,
  sizeBytes: 0,
  createdAt: undefined,
  updatedAt: undefined,
  notes: [],
};

// Weights that lie where they should while the YAML itself is gone.
function neighbours(configPath: string, disk: Disk): NewModelFile[] {
  if (!isAbsolute(configPath)) return [];
  for (const path of [`${withoutExtension(configPath)}.gguf`, join(dirname(configPath), "model.gguf")]) {
    const stats = disk.fileAt(path);
    if (stats !== undefined) return [{ path, role: "weights", sizeBytes: stats.size }];
  }
  return [];
}

function filesOf(
  yml: JsonObject | undefined,
  configPath: string,
  dataFolder: string,
  disk: Disk,
  notes: LegacyNote[],
): { paths: string[]; projector: string | undefined } {
  const locate = (file: JsonValue): string[] => {
    if (typeof file !== "string" || file === "") return [];
    if (/^file:\/\//i.test(file)) return fromFileUrl(file);
    // What is still to be fetched is no file; the YAML keeps its address.
    if (/^[a-z][a-z0-9+.-]+:\/\//i.test(file)) return [];
    const resolved = resolveLegacyPath(file, dataFolder, disk);
    if (resolved.moved) {
      notes.push({ code: "file_moved", text: `The data folder was moved: ${file} is now ${resolved.path}` });
    }
    if (resolved.exists || isAbsolute(file)) return [resolved.path];
    const beside = join(dirname(configPath), file);
    return [disk.isFile(beside) ? beside : resolved.path];
  };
  const listed = [yml?.["files"] ?? []].flat();
  const weights =
    listed.length === 0 ? defaultWeights(configPath, disk) : listed.flatMap(locate).flatMap(shards);
  const [projector] = locate(yml?.["mmproj"] ?? "");
  return { paths: projector === undefined ? weights : [...weights, projector], projector };
}

// A YAML without `files` means `model.gguf` beside it; else the file of its own name, or, for another
// engine, what lies in the folder.
function defaultWeights(configPath: string, disk: Disk): string[] {
  const folder = dirname(configPath);
  const usual = join(folder, "model.gguf");
  if (disk.isFile(usual)) return [usual];
  const own = `${withoutExtension(configPath)}.gguf`;
  if (disk.isFile(own)) return [own];
  if (!/^model\.ya?ml$/.test(basename(configPath))) return [usual];
  const others = namesIn(folder).filter((name) => WEIGHTS.has(extname(name).toLowerCase()));
  return others.length === 0 || others.length > MAX_SHARDS
    ? [usual]
    : others.map((name) => join(folder, name));
}

function withoutExtension(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return [];
  }
}

// One part of a split GGUF stands for all of them.
function shards(path: string): string[] {
  const match = SHARD.exec(basename(path));
  const count = Number(match?.[3]);
  if (match === null || count < 1 || count > MAX_SHARDS) return [path];
  return Array.from({ length: count }, (_, index) =>
    join(dirname(path), `${match[1]}-${String(index + 1).padStart(5, "0")}-of-${match[3]}${match[4]}`),
  );
}

function fromFileUrl(url: string): string[] {
  try {
    return [fileURLToPath(url)];
  } catch {
    return [];
  }
}

function roleOf(path: string): FileRole {
  const name = basename(path).toLowerCase();
  if (name.includes("mmproj")) return "mmproj";
  if (WEIGHTS.has(extname(name))) return "weights";
  return name.startsWith("tokenizer") ? "tokenizer" : "other";
}

function sane(timeMs: number): number | undefined {
  const whole = Math.trunc(timeMs);
  return whole > 0 && whole <= Date.now() + DAY_MS ? whole : undefined;
}
