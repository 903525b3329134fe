import { lstat, realpath } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";

import { RegistryError } from "@cortex/model-db";

import { safePath } from "../safe-path.ts";
import type { ModelsFolder } from "./models-folder.ts";

/**
 * Where a file goes inside a models folder. A name that leads out of it is refused, and so is one on whose
 * way a symbolic link does. Nothing is created; look again right before something is written.
 *
 * @param path relative to the folder, with `/` between its parts; whoever chose it.
 * @returns the absolute path.
 * @throws RegistryError `invalid_input`.
 */
export async function placeInFolder(folder: ModelsFolder, path: string): Promise<string> {
  const place = join(folder.path, ...safePath(path).split("/"));
  const [root, parent] = await Promise.all([realPlace(folder.path), realPlace(dirname(place))]);
  if (isInside(root, parent)) return place;
  throw new RegistryError(
    "invalid_input",
    `No file is written to ${place}: a link on the way leads ${parent === undefined ? "nowhere" : `to ${parent}, out of the models folder`}. Remove the link.`,
  );
}

/**
 * The models folder that a file lies in, the innermost where one holds another; links on the way are followed.
 *
 * @param path absolute.
 * @returns `undefined` where it lies in none.
 */
export async function folderOf(
  folders: readonly ModelsFolder[],
  path: string,
): Promise<{ readonly folder: ModelsFolder; readonly relativePath: string } | undefined> {
  const parent = await realPlace(dirname(path));
  const roots = await Promise.all(
    folders.map(async (folder) => ({ folder, root: await realPlace(folder.path) })),
  );
  let inner: { folder: ModelsFolder; root: string } | undefined;
  for (const { folder, root } of roots) {
    if (root === undefined || !isInside(root, parent)) continue;
    if (inner === undefined || root.length > inner.root.length) inner = { folder, root };
  }
  if (inner === undefined || parent === undefined) return undefined;
  const relativePath = relative(inner.root, join(parent, basename(path)));
  return { folder: inner.folder, relativePath: relativePath.split(sep).join("/") };
}

/** A path without links, also of something that is not there yet; `undefined` behind a link to nothing. */
async function realPlace(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Where a file is in the way, whoever makes the folders says so.
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    // Who writes there would follow the link.
    if (await isThere(path)) return undefined;
    const parent = await realPlace(dirname(path));
    return parent && join(parent, basename(path));
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function isInside(root: string | undefined, path: string | undefined): boolean {
  if (root === undefined || path === undefined) return false;
  return path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
}
