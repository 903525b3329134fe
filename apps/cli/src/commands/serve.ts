import { spawn } from "node:child_process";
import { once } from "node:events";

import { RegistryError } from "@cortex/model-db";

import type { Everywhere } from "../everywhere.ts";
import { findServer, type Program } from "../find-server.ts";

/** What `cortex serve` takes. */
export interface ServeOptions extends Everywhere {
  /** What `cortex-server` is given. */
  readonly serverFlags: readonly string[];
}

/**
 * Becomes `cortex-server`, where that is installed: it gets every flag, and signals as well.
 *
 * @returns its exit code, on a system where a program cannot become another.
 * @throws RegistryError `not_found` where it is not installed.
 */
export async function serve({ serverFlags, db }: ServeOptions): Promise<number> {
  const server = findServer();
  if (server === undefined) {
    throw new RegistryError(
      "not_found",
      "cortex-server is not installed: `npm install --global @cortex/hono-server` brings it.",
    );
  }
  const args = [...server.args, ...(db === undefined ? [] : ["--db", db]), ...serverFlags];
  if (process.platform === "win32") return await runBeside(server, args);
  return process.execve!(server.file, [server.file, ...args], process.env);
}

async function runBeside({ file }: Program, args: readonly string[]): Promise<number> {
  const child = spawn(file, args, { stdio: "inherit", shell: file.endsWith(".cmd") });
  // Ctrl-C reaches both; this one has to see how the other ends.
  process.on("SIGINT", () => undefined);
  const [exitCode] = (await once(child, "close")) as [number | null];
  return exitCode ?? 1;
}
