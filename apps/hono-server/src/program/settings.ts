import { isIP } from "node:net";
import { isAbsolute, resolve } from "node:path";

import { defaultRegistryLocation, parseSize } from "@cortex/model-db";

import { hostNameOf } from "../guard/host.ts";

/** How much the log says; each says what those before it do, too. */
const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/** All that the program can be told, however it was told. */
export interface Settings {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The path of a unix socket. */
  readonly socket: string | undefined;
  /** The absolute path of the registry's file. */
  readonly db: string;
  /** The folder that a backup is kept in. */
  readonly backup: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly allowedHost: readonly string[];
  readonly corsOrigin: readonly string[];
  /** Addresses, subnets, or `private`. */
  readonly trustProxy: readonly string[];
  /** 0: any number. */
  readonly requestsPerSecond: number;
  readonly maxConcurrent: number;
  readonly maxListeners: number;
  /** How many models are fetched at once; 0: none. */
  readonly maxPulls: number;
  /** Bytes per second, of all that are fetched. */
  readonly pullRate: number | undefined;
  readonly privateHost: readonly string[];
  /** Absolute paths of folders. */
  readonly importFolder: readonly string[];
  readonly logLevel: LogLevel;
}

/** One thing that can be set: by a flag, an environment variable, and a key of the configuration file. */
export interface Setting<T> {
  /** What stands behind the flag, such as `<folder>`; a setting without is a switch. */
  readonly value?: string;
  /** In the configuration file, a relative one begins at that file's folder. */
  readonly isPath?: true;
  /** Can be given more than once; in an environment variable with commas between. */
  readonly isList?: true;
  readonly help: string;
  /** Takes effect at SIGHUP, without a restart. */
  readonly isReloaded?: true;
  readonly group:
    | "Where it listens"
    | "The registry"
    | "Who may ask, and how much"
    | "Where models come from"
    | "The log";
  /**
   * @param given is a text from a flag or a variable, and what the file says otherwise.
   * @returns `undefined` for what it cannot be.
   */
  readonly parse: (given: unknown) => T | undefined;
  /** What it is when nobody says anything. */
  readonly initial: () => T;
}

const nothing = (): undefined => undefined;
const none = (): readonly string[] => [];

/** Every setting. The key is camelCase here, `--kebab-case`, `CORTEX_UPPER_CASE` and snake_case in the file. */
export const SETTINGS: { readonly [Name in keyof Settings]: Setting<Settings[Name]> } = {
  host: {
    value: "<address>",
    help: "The address to listen on (default: 127.0.0.1, this machine only)",
    group: "Where it listens",
    parse: toText,
    initial: () => "127.0.0.1",
  },
  port: {
    value: "<number>",
    help: "The port to listen on, up to 65535; 0 takes a free one (default: 39281)",
    group: "Where it listens",
    parse: (given) => toInteger(given, 0, 65_535),
    initial: () => 39_281,
  },
  socket: {
    value: "<path>",
    help: "Listen on this unix socket, which only your user can use; on a port too only where --host or --port is given",
    group: "Where it listens",
    isPath: true,
    parse: toPath,
    initial: nothing,
  },
  tlsCert: {
    value: "<file>",
    help: "Speak HTTPS with this certificate (PEM, the whole chain); needs --tls-key",
    isReloaded: true,
    group: "Where it listens",
    isPath: true,
    parse: toPath,
    initial: nothing,
  },
  tlsKey: {
    value: "<file>",
    help: "The private key of the certificate (PEM)",
    isReloaded: true,
    group: "Where it listens",
    isPath: true,
    parse: toPath,
    initial: nothing,
  },
  db: {
    value: "<file>",
    help: "The registry (default: registry.db in CORTEX_HOME, else in cortex's data folder, as for `cortex`)",
    group: "The registry",
    isPath: true,
    parse: toPath,
    initial: () => resolve(defaultRegistryLocation()),
  },
  backup: {
    value: "<folder>",
    help: "Keep a backup in this folder: verified snapshots, and every change within a second",
    group: "The registry",
    isPath: true,
    parse: toPath,
    initial: nothing,
  },
  allowedHost: {
    value: "<name>",
    isList: true,
    help: "A name that this server is asked for by, beside localhost and its addresses, such as models.example.org",
    isReloaded: true,
    group: "Who may ask, and how much",
    parse: toList((text) => hostNameOf(text) !== undefined),
    initial: none,
  },
  corsOrigin: {
    value: "<origin>",
    isList: true,
    help: "A web site whose pages may ask, such as https://dashboard.example.org; no other's may",
    isReloaded: true,
    group: "Who may ask, and how much",
    parse: toList((text) => URL.canParse(text) && new URL(text).origin === text),
    initial: none,
  },
  trustProxy: {
    value: "<proxy>",
    isList: true,
    help: "Believe this proxy who asks (X-Forwarded-For): an address, a subnet such as 10.0.0.0/8, or private for any in a private network",
    isReloaded: true,
    group: "Who may ask, and how much",
    parse: toList((text) => text === "private" || isSubnet(text)),
    initial: none,
  },
  requestsPerSecond: {
    value: "<number>",
    help: "How many requests are taken from one address, and with one token; 0 for any number (default: 500)",
    isReloaded: true,
    group: "Who may ask, and how much",
    parse: (given) => toInteger(given, 0, 1_000_000),
    initial: () => 500,
  },
  maxConcurrent: {
    value: "<number>",
    help: "How many requests are answered at once, half of them of one client elsewhere; the next are told to come again (default: 256)",
    isReloaded: true,
    group: "Who may ask, and how much",
    parse: (given) => toInteger(given, 1, 100_000),
    initial: () => 256,
  },
  maxListeners: {
    value: "<number>",
    help: "How many may listen for events at once, half of them one client elsewhere (default: 2000)",
    isReloaded: true,
    group: "Who may ask, and how much",
    parse: (given) => toInteger(given, 1, 100_000),
    initial: () => 2000,
  },
  maxPulls: {
    value: "<number>",
    help: "How many models are fetched at once; 0 for none at all (default: 2)",
    group: "Where models come from",
    parse: (given) => toInteger(given, 0, 100),
    initial: () => 2,
  },
  pullRate: {
    value: "<size>",
    help: "How many bytes a second they may take together, such as 5MB (default: any number)",
    group: "Where models come from",
    parse: (given) => toRate(given),
    initial: nothing,
  },
  privateHost: {
    value: "<host>",
    isList: true,
    help: "A host of this machine or of a private network that models may be fetched from, such as hub.intern (default: none)",
    group: "Where models come from",
    parse: toList((text) => /^[^\s/@]+$/.test(text)),
    initial: none,
  },
  importFolder: {
    value: "<folder>",
    isList: true,
    help: "The absolute path of a folder below which models may be imported over HTTP (default: none)",
    group: "Where models come from",
    parse: toList((text) => isAbsolute(text) && !text.includes("\0")),
    initial: none,
  },
  logLevel: {
    value: "<level>",
    help: `How much the log says: ${LOG_LEVELS.join(", ")} (default: info, a line for each request)`,
    isReloaded: true,
    group: "The log",
    parse: (given) => LOG_LEVELS.find((level) => level === given),
    initial: () => "info",
  },
};

function toText(given: unknown): string | undefined {
  return typeof given === "string" && given !== "" && !given.includes("\0") ? given : undefined;
}

function toPath(given: unknown): string | undefined {
  const path = toText(given);
  return path === undefined ? undefined : resolve(path);
}

function toList(isGood: (text: string) => boolean): (given: unknown) => readonly string[] | undefined {
  return (given) => {
    const texts: unknown[] = Array.isArray(given) ? given : [given];
    return texts.every((text) => typeof text === "string" && isGood(text)) ? (texts as string[]) : undefined;
  };
}

function isSubnet(text: string): boolean {
  const [address = "", bits] = text.split("/");
  const version = isIP(address);
  return version !== 0 && (bits === undefined || toInteger(bits, 0, version === 6 ? 128 : 32) !== undefined);
}

function toRate(given: unknown): number | undefined {
  const bytes = typeof given === "string" ? parseSize(given) : given;
  return typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

function toInteger(given: unknown, from: number, to: number): number | undefined {
  const number = typeof given === "string" && /^\d{1,15}$/.test(given) ? Number(given) : given;
  return Number.isInteger(number) && Number(number) >= from && Number(number) <= to
    ? Number(number)
    : undefined;
}
