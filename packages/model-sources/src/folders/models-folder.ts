import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";

import { RegistryError, toVisible } from "@cortex/model-db";

/** A folder that models lie in. */
export interface ModelsFolder {
  /** Absolute; it need not be there yet. */
  readonly path: string;
  /** Whether new models may be put there. */
  readonly isWritable: boolean;
}

// As in /etc/exports.
const READ_ONLY = "(ro)";

/**
 * The folders that models lie in, in their order: those that `CORTEX_MODELS` names, whole and separated as in `PATH`,
 * else `models` beside the registry. One that ends in `(ro)`, or that cannot be written, is read-only.
 *
 * @param registryLocation the registry's file.
 * @returns at least one. Nothing is created.
 * @throws RegistryError `invalid_input` where a name in `CORTEX_MODELS` is no whole path, or means something else than a folder.
 * @example
 * ```ts
 * await modelFolders({ CORTEX_MODELS: "/data/models:/mnt/shared(ro)" }, "/home/ann/registry.db");
 * // [{ path: "/data/models", isWritable: true }, { path: "/mnt/shared", isWritable: false }]
 * ```
 */
export async function modelFolders(
  env: NodeJS.ProcessEnv,
  registryLocation: string,
): Promise<ModelsFolder[]> {
  const named = (env["CORTEX_MODELS"] ?? "").split(delimiter).filter((name) => name.trim() !== "");
  const wanted = named.length > 0 ? named : [join(dirname(resolve(registryLocation)), "models")];
  const folders = new Map<string, ModelsFolder>();
  for (const name of wanted) {
    const isReadOnly = name.endsWith(READ_ONLY);
    const path = toPath(isReadOnly ? name.slice(0, -READ_ONLY.length) : name);
    if (folders.has(path)) continue;
    folders.set(path, { path, isWritable: !isReadOnly && (await canBeWritten(path)) });
  }
  return [...folders.values()];
}

// One that depends on where cortex runs would hide models from it that it has fetched itself.
function toPath(name: string): string {
  if (isAbsolute(name)) return resolve(name);
  // Only a shell knows what that means, and not everywhere.
  const meant = /^~(?:[/\\]|$)/.test(name) ? join(homedir(), name.slice(1)) : resolve(name);
  throw new RegistryError(
    "invalid_input",
    `CORTEX_MODELS names ${toVisible(name)}, which is another folder wherever cortex runs. Write whole paths, such as ${toVisible(meant)}.`,
  );
}

/** Whether a folder can be written or, where it is not there yet, be made. */
async function canBeWritten(path: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isDirectory()) {
      throw new RegistryError("invalid_input", `${path} is no folder. Name folders in CORTEX_MODELS.`);
    }
    await access(path, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (error instanceof RegistryError) throw error;
    const parent = dirname(path);
    return (error as NodeJS.ErrnoException).code === "ENOENT" && parent !== path && canBeWritten(parent);
  }
}
