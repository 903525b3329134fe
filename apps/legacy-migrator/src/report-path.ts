import {
  closeSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  realpathSync,
  statSync,
  type Stats,
} from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";

import { backupsFolder } from "./backup.ts";
import { DATABASE, LISTS, type DataFolder } from "./legacy/data-folder.ts";
import { DATABASE_COMPANIONS } from "./legacy/scratch-copy.ts";
import { MisuseError } from "./misuse-error.ts";
import { reasonOf } from "./reason-of.ts";
import { OUTCOMES } from "./report-entry.ts";

const MAX_LINKS = 40;
const FIRST_LINE_BYTES = 1024 * 1024;
const PARTS = ["", "-shm", ...DATABASE_COMPANIONS];
const ELSEWHERE = "Name another file with --report.";

/**
 * Where the report will be, when that destroys nothing: no old store, no registry, no backup, and nothing
 * that exists, except for an earlier report. Only looks.
 *
 * @param given as it was typed.
 * @param registryPath absolute; need not exist.
 * @returns an absolute path without links, in a folder that exists.
 * @throws MisuseError
 */
export function reportPath(given: string, dataFolder: DataFolder, registryPath: string): string {
  const path = resolve(given);
  if (given === "-" || /^\/(?:dev|proc)\/(?!shm\/)/.test(path)) {
    throw new MisuseError(
      `--report takes a file, and ${given} is none. --json prints the report to standard output.`,
    );
  }
  try {
    const target = targetOf(path);
    refuseStores(target, path, dataFolder);
    refuseRegistry(target, path, registryPath);
    const stats = statOf(target);
    if (stats === undefined) return target;
    if (!stats.isFile()) {
      const what = stats.isDirectory() ? "a folder" : "no regular file";
      throw new MisuseError(`${path} is ${what}. ${ELSEWHERE}`);
    }
    if (isInside(target, join(dataFolder.path, "models"))) {
      throw new MisuseError(`${path} lies among the old models, which are only read. ${ELSEWHERE}`);
    }
    if (stats.size > 0 && !isReport(target)) {
      throw new MisuseError(
        `${path} exists and is no report of cortex-migrate, so it is not replaced. ${ELSEWHERE}`,
      );
    }
    return target;
  } catch (error) {
    if (error instanceof MisuseError) throw error;
    throw new MisuseError(`The report cannot be written to ${path}: ${reasonOf(error)}. ${ELSEWHERE}`, {
      cause: error,
    });
  }
}

// Where the report would be made.
function targetOf(path: string): string {
  const target = followed(path);
  const folder = dirname(target);
  const stats = statOf(folder);
  if (stats === undefined) {
    throw new MisuseError(
      `The folder ${folder} for the report does not exist. Make it, or name another file.`,
    );
  }
  if (!stats.isDirectory()) throw new MisuseError(`${folder} is no folder. ${ELSEWHERE}`);
  if (lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    throw new MisuseError(`${path} is a link that leads to itself. ${ELSEWHERE}`);
  }
  return target;
}

function refuseStores(target: string, path: string, { path: folder, databases, lists }: DataFolder): void {
  // Also where there is none: a report would be taken for one.
  const stores = [
    ...lists,
    ...LISTS.map((name) => join(folder, name)),
    ...[...databases, join(folder, DATABASE)].flatMap((store) => PARTS.map((end) => store + end)),
  ];
  if (stores.some((store) => isSame(target, store))) {
    throw new MisuseError(`${path} is an old store, which is only read. ${ELSEWHERE}`);
  }
}

function refuseRegistry(target: string, path: string, registryPath: string): void {
  const backups = backupsFolder(registryPath);
  if (isSame(target, backups) || isInside(target, backups)) {
    throw new MisuseError(`${path} lies among the backups of the registry. ${ELSEWHERE}`);
  }
  if (
    PARTS.some((end) => isSame(target, registryPath + end) || isSame(target, followed(registryPath) + end))
  ) {
    throw new MisuseError(`${path} is the registry, or a part of it. ${ELSEWHERE}`);
  }
}

// By what they are where both exist (hard links, disks that ignore case), else by where they would be.
function isSame(target: string, other: string): boolean {
  const [one, two] = [statOf(target), statOf(other)];
  if (one !== undefined && two !== undefined) return isSameFile(one, two);
  return target.toLowerCase() === followed(other).toLowerCase();
}

function isInside(target: string, folder: string): boolean {
  const stats = statOf(folder);
  if (stats === undefined) return false;
  const way = relative(realpathSync(folder), target);
  if (way !== "" && way !== ".." && !way.startsWith(`..${sep}`)) return true;
  for (let above = dirname(target); ; above = dirname(above)) {
    const found = statOf(above);
    if (found !== undefined && isSameFile(found, stats)) return true;
    if (above === dirname(above)) return false;
  }
}

function isSameFile(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

// Where a path leads. The last part may be missing, or a link that leads nowhere yet. A link is left only
// where there are too many, and a path goes on as it is behind a folder that is none.
function followed(path: string): string {
  let target = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    if (statOf(dirname(target))?.isDirectory() !== true) return target;
    target = join(realpathSync(dirname(target)), basename(target));
    if (lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return target;
    target = resolve(dirname(target), readlinkSync(target));
  }
  return target;
}

function isReport(path: string): boolean {
  const head = Buffer.alloc(FIRST_LINE_BYTES);
  const descriptor = openSync(path, "r");
  let read: number;
  try {
    read = readSync(descriptor, head, 0, head.length, 0);
  } finally {
    closeSync(descriptor);
  }
  const text = head.toString("utf8", 0, read);
  const end = text.indexOf("\n");
  try {
    const entry: unknown = JSON.parse(end === -1 ? text : text.slice(0, end));
    if (typeof entry !== "object" || entry === null || !("outcome" in entry)) return false;
    return OUTCOMES.some((outcome) => outcome === entry.outcome);
  } catch {
    return false;
  }
}
