import type { Rolldown } from "tsdown";

// Also what is written with two code units: each of them is an escape.
const NOT_ASCII = /[^\0-\x7f]/g;

/**
 * Writes every character that is not ASCII as an escape: of a file with a single one, V8 keeps two bytes for each
 * character, and takes longer to read and compile all of it.
 */
export function asciiOnly(): Rolldown.Plugin {
  return {
    name: "ascii-only",
    generateBundle(_options, bundle) {
      for (const output of Object.values(bundle)) {
        if (output.type !== "chunk") continue;
        output.code = output.code.replace(NOT_ASCII, escape);
      }
    },
  };
}

function escape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
