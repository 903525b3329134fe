import { join } from "node:path";

/** The environment of a process: its variables. */
type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The data folder of this user: `CORTEX_HOME`, else the platform's place for application data with
 * `cortex` in it: `$XDG_DATA_HOME` or `~/.local/share` on Linux, `~/Library/Application Support` on
 * macOS, `%LOCALAPPDATA%` on Windows. Nothing is created.
 */
export function defaultDataFolder(env: Environment = process.env): string {
  if (env["CORTEX_HOME"]) return env["CORTEX_HOME"];
  // Loaded only where it is asked: a list that is told its registry does without.
  const home = process.getBuiltinModule("node:os").homedir();
  if (process.platform === "darwin") return join(home, "Library", "Application Support", "cortex");
  if (process.platform === "win32") {
    return join(env["LOCALAPPDATA"] ?? join(home, "AppData", "Local"), "cortex");
  }
  return join(env["XDG_DATA_HOME"] || join(home, ".local", "share"), "cortex");
}

/** The registry that programs of this user share: `CORTEX_DB`, else `registry.db` in the data folder. */
export function defaultRegistryLocation(env: Environment = process.env): string {
  return env["CORTEX_DB"] || join(defaultDataFolder(env), "registry.db");
}
