import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

import { defaultDataFolder, nearest, RegistryError } from "@cortex/model-db";

import { misuse } from "./misuse.ts";
import { flagOf, keyOf, variableOf } from "./setting-names.ts";
import { SETTINGS, type Setting, type Settings } from "./settings.ts";

/** What the command line says about settings: texts, a list where a flag may be repeated, `true` for a switch. */
export type GivenFlags = Readonly<Partial<Record<keyof Settings, string | readonly string[] | true>>>;

/** Settings, and where each was said. */
export interface ReadSettings {
  readonly settings: Settings;
  /** Those that somebody set. */
  readonly given: ReadonlySet<keyof Settings>;
  /** The configuration file that was read. */
  readonly file: string | undefined;
}

const NAMES = Object.keys(SETTINGS) as (keyof Settings)[];

/**
 * What the program is to do: by its flags, else the environment, else the configuration file, else the
 * defaults. An empty variable says nothing.
 *
 * @param configFile as `--config` names it.
 * @throws RegistryError `invalid_input`, naming what is wrong and where it stands; `not_found` and
 *   `io_error` for a configuration file that cannot be read.
 */
export function readSettings(
  flags: GivenFlags,
  configFile: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): ReadSettings {
  const file = findConfigFile(configFile, env);
  const inFile = file === undefined ? {} : readConfigFile(file);
  const settings: Record<string, unknown> = {};
  const given = new Set<keyof Settings>();
  for (const name of NAMES) {
    const setting: Setting<unknown> = SETTINGS[name];
    const [value, place] = firstGiven(
      [flags[name], flagOf(name)],
      [fromVariable(setting, env[variableOf(name)]), variableOf(name)],
      [inFile[keyOf(name)], `${keyOf(name)} in ${file}`],
    );
    if (value === undefined) {
      settings[name] = setting.initial();
      continue;
    }
    const parsed = setting.parse(value);
    if (parsed === undefined) throw refused(place, value, setting);
    settings[name] = parsed;
    given.add(name);
  }
  const read = settings as unknown as Settings;
  checkTogether(read);
  return { settings: read, given, file };
}

function firstGiven(...said: [value: unknown, place: string][]): [value: unknown, place: string] {
  return said.find(([value]) => value !== undefined) ?? [undefined, ""];
}

function fromVariable({ isList }: Setting<unknown>, text: string | undefined): unknown {
  if (text === undefined || text === "") return undefined;
  return isList === true ? text.split(",").map((part) => part.trim()) : text;
}

function findConfigFile(named: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  const file = named ?? (env["CORTEX_CONFIG"] || undefined);
  if (file !== undefined) return resolve(file);
  const usual = join(defaultDataFolder(env), "server.json");
  return existsSync(usual) ? resolve(usual) : undefined;
}

/** What a configuration file says; paths in it begin at its folder. */
function readConfigFile(file: string): Readonly<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new RegistryError("not_found", `There is no configuration file ${file}.`);
    throw new RegistryError("io_error", `The configuration file ${file} cannot be read (${code}).`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw misuse(`The configuration file ${file} is no JSON: ${(error as Error).message}.`);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw misuse(`The configuration file ${file} must hold one JSON object, such as {"port": 39281}.`);
  }
  const keys = NAMES.map(keyOf);
  for (const key of Object.keys(json)) {
    if (keys.includes(key)) continue;
    const near = nearest(key, keys);
    const hint = near === undefined ? `It can have ${keys.join(", ")}.` : `Did you mean ${near}?`;
    throw misuse(`The configuration file ${file} has an unknown key ${key}. ${hint}`);
  }
  return Object.fromEntries(
    Object.entries(json).map(([key, value]: [string, unknown]) => {
      const { isPath }: Setting<unknown> = SETTINGS[NAMES.find((name) => keyOf(name) === key)!];
      const isRelative = isPath === true && typeof value === "string" && value !== "";
      return [key, isRelative ? resolve(dirname(file), value) : value];
    }),
  );
}

function checkTogether({ tlsCert, tlsKey }: Settings): void {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw misuse("HTTPS needs both --tls-cert and --tls-key: a certificate and its private key.");
  }
}

function refused(place: string, value: unknown, { value: kind, help }: Setting<unknown>): RegistryError {
  const parts: unknown[] = Array.isArray(value) ? value : [value];
  const text = parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(", ");
  return misuse(
    `${place} cannot be ${text === "" ? "empty" : text}: it takes ${kind ?? "true or false"}. ${help}.`,
  );
}
