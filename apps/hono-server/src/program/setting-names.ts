import type { Settings } from "./settings.ts";

/** The name of a setting on the command line, with its dashes. */
export function flagOf(name: keyof Settings): string {
  return `--${keyOf(name).replaceAll("_", "-")}`;
}

/** The name of a setting in the environment. */
export function variableOf(name: keyof Settings): string {
  return `CORTEX_${keyOf(name).toUpperCase()}`;
}

/** The name of a setting in the configuration file. */
export function keyOf(name: keyof Settings): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
