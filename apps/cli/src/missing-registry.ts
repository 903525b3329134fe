import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

import { RegistryError } from "@cortex/model-db";

/** That there is no registry yet, and how to come by one. */
export function missingRegistry(location: string, env: NodeJS.ProcessEnv = process.env): string {
  const old = oldDataFolders(env).find((folder) => existsSync(folder));
  const way =
    old === undefined
      ? "`cortex pull`, `cortex import` or `cortex scan --adopt` makes one."
      : `The old cortex program left its data in ${old}: \`cortex-migrate\` brings its models here.`;
  return `There is no registry at ${location} yet. ${way}`;
}

/** @throws RegistryError `not_found`, with how to come by a registry, where there is none. */
export function requireRegistry(location: string): void {
  if (!existsSync(location)) throw new RegistryError("not_found", missingRegistry(location));
}

// Where each release of the old program kept its data unless told otherwise; newest first.
function oldDataFolders(env: NodeJS.ProcessEnv): string[] {
  const dataHome = env["XDG_DATA_HOME"] || path.join(homedir(), ".local", "share");
  return [path.join(dataHome, "cortexcpp"), path.join(homedir(), "cortexcpp")];
}
