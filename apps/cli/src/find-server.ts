import { accessSync, constants, realpathSync, statSync } from "node:fs";
import path from "node:path";

/** A program and the arguments that come before others. */
export interface Program {
  readonly file: string;
  readonly args: readonly string[];
}

const NAME = process.platform === "win32" ? "cortex-server.cmd" : "cortex-server";

/**
 * Looks for `cortex-server` where this program was started from, in the `node_modules` on the way up from
 * there, and on PATH.
 */
export function findServer(
  startedAs: string = process.argv[1]!,
  env: NodeJS.ProcessEnv = process.env,
): Program | undefined {
  const onPath = (env["PATH"] ?? "").split(path.delimiter).filter((folder) => folder !== "");
  const file = [path.dirname(startedAs), ...binFolders(startedAs), ...onPath]
    .map((folder) => path.join(folder, NAME))
    .find(isProgram);
  if (file === undefined) return undefined;
  const real = realpathSync(file);
  // What a first line of `env node` would find need not be the Node that runs this.
  return real.endsWith(".mjs") ? { file: process.execPath, args: [real] } : { file, args: [] };
}

function binFolders(from: string): string[] {
  const parent = path.dirname(from);
  return parent === from ? [] : [path.join(parent, "node_modules", ".bin"), ...binFolders(parent)];
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
