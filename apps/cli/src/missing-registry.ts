import { existsSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

import { toVisible } from "@cortex/model-db";

import { writeNote } from "./output/stream.ts";

/** Says on standard error that there is no registry yet, and how to come by one. */
export function hintAtMissingRegistry(location: string): void {
  writeNote(
    toVisible(`There is no registry at ${location} yet.${oldStoreHint() ?? " `cortex add` makes one."}`),
  );
}

/** A sentence on the command that brings the old program's models here; `undefined` where it left none. */
export function oldStoreHint(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const folder = oldDataFolders(env).find((candidate) => existsSync(candidate));
  if (folder === undefined) return undefined;
  return ` The old cortex program left its data in ${folder}: \`cortex-migrate\` brings its models here.`;
}

// Where each release of the old program kept its data unless told otherwise; newest first.
function oldDataFolders(env: NodeJS.ProcessEnv): string[] {
  const dataHome = env["XDG_DATA_HOME"] || path.join(homedir(), ".local", "share");
  return [path.join(dataHome, "cortexcpp"), path.join(homedir(), "cortexcpp")];
}
