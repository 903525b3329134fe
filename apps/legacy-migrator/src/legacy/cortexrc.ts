import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

import { parseDocument } from "yaml";

/** What a `.cortexrc` says, as far as we need it. */
export interface Cortexrc {
  readonly path: string;
  /** Where the old program kept its data; `undefined` where the file does not say. */
  readonly dataFolder: string | undefined;
}

const VARIANTS = ["", "-beta", "-nightly"] as const;

/**
 * The places where the releases of cortex.cpp kept their configuration, newest release first: from
 * 1.0.13 `~/.config/cortexcpp/.cortexrc`, before that `~/.cortexrc`; with `-beta` and `-nightly` for
 * those variants.
 */
export function cortexrcPaths(env: NodeJS.ProcessEnv, home: string = homedir()): string[] {
  const config = env["XDG_CONFIG_HOME"] || join(home, ".config");
  return VARIANTS.flatMap((variant) => [
    ...new Set([
      join(config, `cortexcpp${variant}`, ".cortexrc"),
      join(config, `cortexcpp${variant}`, `.cortexrc${variant}`),
      join(config, "cortexcpp", `.cortexrc${variant}`),
      join(home, `.cortexrc${variant}`),
    ]),
  ]);
}

/** The data folders that the releases used when nothing else was said, newest release first. */
export function usualDataFolders(env: NodeJS.ProcessEnv, home: string = homedir()): string[] {
  const data = env["XDG_DATA_HOME"] || join(home, ".local", "share");
  return VARIANTS.flatMap((variant) => [
    join(data, `cortexcpp${variant}`),
    join(home, `cortexcpp${variant}`),
  ]);
}

/**
 * Reads a `.cortexrc`: YAML, from 1.0.4 on with a byte order mark.
 *
 * @returns `undefined` where there is none that can be read.
 */
export function readCortexrc(path: string, home: string = homedir()): Cortexrc | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  const written = dataFolderPath(text.replace(/^\ufeff/, ""));
  if (written === undefined || written === "") return { path, dataFolder: undefined };
  const expanded = written.replace(/^~(?=[\\/]|$)/, () => home);
  return { path, dataFolder: isAbsolute(expanded) ? expanded : join(home, expanded) };
}

function dataFolderPath(text: string): string | undefined {
  try {
    const value: unknown = parseDocument(text, { logLevel: "silent" }).get("dataFolderPath");
    if (typeof value === "string") return value;
  } catch {
    // No YAML any more: the line itself may still be whole.
  }
  return /^dataFolderPath:[ \t]*(.*?)[ \t]*\r?$/m.exec(text)?.[1];
}
