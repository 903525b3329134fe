import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

import { nearest, type RegistryError } from "@cortex/model-db";

import { misuse } from "./misuse.ts";
import type { GivenFlags } from "./read-settings.ts";
import { flagOf } from "./setting-names.ts";
import { SETTINGS, type Setting, type Settings } from "./settings.ts";

/** What the command line asks for. */
export interface CommandLine {
  readonly wants: "server" | "help" | "version" | "config";
  /** What `--config` names. */
  readonly configFile: string | undefined;
  readonly flags: GivenFlags;
}

// Node's own parser leaves values as they were written, and needs no dependency.
const OPTIONS: ParseArgsOptionsConfig = {
  config: { type: "string" },
  "print-config": { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
  ...Object.fromEntries(
    settings().map(([name, { value }]) => [
      flagOf(name).slice(2),
      { type: value === undefined ? "boolean" : "string" } as const,
    ]),
  ),
};

/**
 * Reads the command line, without the program's own name.
 *
 * @throws RegistryError `invalid_input`.
 */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const { tokens } = parseArgs({ args: [...argv], options: OPTIONS, strict: false, tokens: true });
  const texts = new Map<string, (string | true)[]>();
  for (const token of tokens) {
    if (token.kind === "positional") {
      throw misuse(
        `cortex-server takes flags only, not ${token.value}: \`cortex-server --help\` lists them.`,
      );
    }
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(OPTIONS, token.name) ? OPTIONS[token.name] : undefined;
    if (option === undefined) throw unknownFlag(token.rawName);
    const isMistaken = !token.inlineValue && token.value?.startsWith("--") === true;
    if (option.type === "string" && (token.value === undefined || isMistaken)) {
      throw misuse(`${token.rawName} needs a value.`);
    }
    if (option.type === "boolean" && token.value !== undefined) {
      throw misuse(`${token.rawName} is a switch and takes no value.`);
    }
    texts.set(token.name, [...(texts.get(token.name) ?? []), token.value ?? true]);
  }
  const flags: Partial<Record<keyof Settings, string | readonly string[] | true>> = {};
  for (const [name, { isList }] of settings()) {
    const values = texts.get(flagOf(name).slice(2));
    if (values === undefined) continue;
    flags[name] = isList === true ? (values as string[]) : only(flagOf(name), values);
  }
  const config = texts.get("config");
  return {
    wants: texts.has("help")
      ? "help"
      : texts.has("version")
        ? "version"
        : texts.has("print-config")
          ? "config"
          : "server",
    configFile: config === undefined ? undefined : (only("--config", config) as string),
    flags,
  };
}

function settings(): [keyof Settings, Setting<unknown>][] {
  return Object.entries(SETTINGS) as [keyof Settings, Setting<unknown>][];
}

function only<T>(flag: string, values: readonly T[]): T {
  if (values.length > 1) throw misuse(`${flag} is given twice.`);
  return values[0]!;
}

function unknownFlag(name: string): RegistryError {
  const near = nearest(
    name,
    Object.keys(OPTIONS).map((option) => `--${option}`),
  );
  const hint = near === undefined ? "`cortex-server --help` lists all." : `Did you mean ${near}?`;
  return misuse(`There is no flag ${name.slice(0, 80)}. ${hint}`);
}
