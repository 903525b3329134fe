import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

import { cortexrcPaths, readCortexrc, usualDataFolders } from "./cortexrc.ts";
import { LegacyStoreError } from "./legacy-store-error.ts";
import { looksLikeModelList } from "./looks-like-model-list.ts";

/** An old data folder and the stores in it, newest kind first. */
export interface DataFolder {
  readonly path: string;
  /** Paths of `cortex.db`, at most one. */
  readonly databases: readonly string[];
  /** Paths of `model.list` or `models.list`, those of `models/` first. */
  readonly lists: readonly string[];
  /** Other old data folders that were not asked for, and what else is worth saying. */
  readonly hints: readonly string[];
}

/** Where old releases kept their list, below the data folder; the newest place first. */
export const LISTS = ["models/model.list", "models/models.list", "model.list", "models.list"] as const;
const LIST_NAME = /^models?\.list$/i;
/** The newest kind of store, in the data folder. */
export const DATABASE = "cortex.db";
const SQLITE_MAGIC = "SQLite format 3\0";

/**
 * Finds the old stores.
 *
 * @param given a data folder, its `models` folder, a home folder, or the path of a store itself; left
 *   out, the folder that the old program used, through its `.cortexrc`.
 * @throws LegacyStoreError `not_found`; `not_a_store` for a file that is none.
 */
export function findDataFolder(given: string | undefined, env: NodeJS.ProcessEnv = process.env): DataFolder {
  return given === undefined ? findDefault(env) : findGiven(resolve(given), env);
}

function findGiven(path: string, env: NodeJS.ProcessEnv): DataFolder {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) throw new LegacyStoreError("not_found", `${path} does not exist.`);
  if (stats.isFile()) return storeItself(path);
  const direct = (basename(path) === "models" ? storesIn(dirname(path)) : undefined) ?? storesIn(path);
  if (direct !== undefined) return direct;
  // A home folder, or a copy of one: what its .cortexrc says, or the usual folder in it.
  const inside = candidates({}, path)
    .folders.map(storesIn)
    .find((found) => found !== undefined);
  if (inside !== undefined) return inside;
  const usual = findDefaults(env)[0];
  throw new LegacyStoreError(
    "not_found",
    `${path} holds no old store: neither ${DATABASE} nor models/model.list (or models.list).${
      usual === undefined ? "" : ` There is one in ${usual.path}.`
    }`,
  );
}

function findDefault(env: NodeJS.ProcessEnv): DataFolder {
  const [first, ...others] = findDefaults(env);
  const { folders, missing } = candidates(env, homedir());
  if (first === undefined) {
    throw new LegacyStoreError(
      "not_found",
      `No old cortex data folder was found. Looked in: ${folders.join(", ")}. Name it: cortex-migrate <data-folder>`,
    );
  }
  const hints = others.map(({ path }) => `There is another old data folder: cortex-migrate ${path}`);
  return { ...first, hints: [...missing, ...hints] };
}

function findDefaults(env: NodeJS.ProcessEnv): DataFolder[] {
  return candidates(env, homedir()).folders.flatMap((folder) => storesIn(folder) ?? []);
}

function candidates(env: NodeJS.ProcessEnv, home: string): { folders: string[]; missing: string[] } {
  const named = cortexrcPaths(env, home).flatMap((path) => readCortexrc(path, home) ?? []);
  const missing = named.flatMap(({ path, dataFolder }) =>
    dataFolder !== undefined && !isFolder(dataFolder)
      ? [`${path} names the data folder ${dataFolder}, which does not exist.`]
      : [],
  );
  const folders = named.flatMap(({ dataFolder }) => dataFolder ?? []);
  return { folders: [...new Set([...folders, ...usualDataFolders(env, home)])], missing };
}

function storesIn(folder: string): DataFolder | undefined {
  const databases = [join(folder, DATABASE)].filter(isFile);
  // Two names of one file, on a disk that ignores case or through a link, are one store.
  const lists = LISTS.map((name) => join(folder, name))
    .filter(isFile)
    .filter(isFirstName);
  if (databases.length + lists.length === 0) return undefined;
  return { path: folder, databases, lists, hints: [] };
}

function isFirstName(path: string, index: number, paths: readonly string[]): boolean {
  const { dev, ino } = statSync(path);
  return paths.findIndex((other) => statSync(other).ino === ino && statSync(other).dev === dev) === index;
}

function storeItself(path: string): DataFolder {
  const folder = basename(dirname(path)) === "models" ? dirname(dirname(path)) : dirname(path);
  if (isDatabase(path)) return { path: folder, databases: [path], lists: [], hints: [] };
  // A list of that name is taken as one, however damaged it is.
  if (!LIST_NAME.test(basename(path)) && !looksLikeModelList(path)) {
    throw new LegacyStoreError(
      "not_a_store",
      `${path} does not look like a model.list: most of its lines are no models. Name a data folder, a model.list or a cortex.db; a damaged list is taken when it is called model.list.`,
    );
  }
  return { path: folder, databases: [], lists: [path], hints: [] };
}

// By content; a file that is empty or something else is what its name says.
function isDatabase(path: string): boolean {
  const head = Buffer.alloc(SQLITE_MAGIC.length);
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    throw new LegacyStoreError("unreadable", `${path} cannot be opened (${(error as Error).message}).`, {
      cause: error,
    });
  }
  try {
    readSync(descriptor, head, 0, head.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return head.toString("latin1") === SQLITE_MAGIC || /\.(?:db|sqlite3?)$/i.test(path);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isFolder(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}
