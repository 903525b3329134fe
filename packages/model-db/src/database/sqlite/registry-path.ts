import { statSync, type Stats } from "node:fs";
import { resolve } from "node:path";

import { invalidInput, RegistryError } from "../../errors.ts";

/**
 * The absolute path of a registry's file, whether it is there or not.
 *
 * @throws RegistryError `invalid_input` for what can be no file, `read_only` where its folder cannot be looked into.
 */
export function registryPath(location: string): string {
  if (
    typeof location !== "string" ||
    location === "" ||
    location.includes("\0") ||
    !location.isWellFormed() ||
    location.length > 4096
  ) {
    throw invalidInput("location", "The registry's location must be the path of a file.");
  }
  if (location === ":memory:" || /^\w+:\/\//.test(location)) {
    throw invalidInput("location", `${location} is no path of a file; a registry lives in one SQLite file.`);
  }
  const path = resolve(location);
  const found = lookAt(path);
  if (found?.isDirectory() === true) {
    throw invalidInput("location", `${path} is a folder; name the registry's file in it.`);
  }
  return path;
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") {
      throw new RegistryError("read_only", `${path} cannot be reached: check the rights of its folder.`, {
        cause: error,
      });
    }
    throw new RegistryError("invalid_input", `${path} can be no file (${code}).`, {
      field: "location",
      cause: error,
    });
  }
}
