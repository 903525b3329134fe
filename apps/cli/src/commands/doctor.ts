import { statSync } from "node:fs";

import {
  defaultDataFolder,
  createBugReport,
  formatSize,
  outcomeOf,
  toVisible,
  type Finding,
  type JsonObject,
  type JsonValue,
} from "@cortex/model-db";

import type { Everywhere } from "../everywhere.ts";
import { locationOf } from "../location.ts";
import { painter, type Paint } from "../output/color.ts";
import { toDocument } from "../output/json.ts";
import { writeOut } from "../output/stream.ts";
import { formatExact } from "../output/time.ts";
import { version } from "../version.ts";

/**
 * Prints what a bug report asks for, and what is wrong with which remedy.
 * @returns 6 where the registry is damaged, else 0
 */
export async function doctor(options: Everywhere): Promise<number> {
  const { facts, findings } = await createBugReport(locationOf(options));
  const all: JsonObject = { cortex: version(), ...facts, ...settings(options) };
  if (options.json === true) {
    writeOut(toDocument({ facts: all, findings }));
  } else if (options.quiet === true) {
    writeOut(findings.map(({ code }) => `${code}\n`).join(""));
  } else {
    writeOut(toText(all, findings, painter(1, options.color)));
  }
  const damaged = findings.some(({ severity }) => severity === "damage");
  return damaged ? outcomeOf("database_damaged").exitCode : 0;
}

// Where the registry's place comes from is the first thing that two people mean differently.
function settings({ db }: Everywhere): JsonObject {
  const { env } = process;
  return {
    chosen_by: db === undefined ? (env["CORTEX_DB"] ? "CORTEX_DB" : "the data folder") : "--db",
    data_folder: defaultDataFolder(env),
    data_folder_exists: statSync(defaultDataFolder(env), { throwIfNoEntry: false }) !== undefined,
  };
}

function toText(facts: JsonObject, findings: readonly Finding[], paint: Paint): string {
  const names = Object.keys(facts);
  const width = Math.max(...names.map((name) => name.length));
  const lines = names.map(
    (name) => `${paint("dim", name.padEnd(width))}  ${toVisible(shown(name, facts[name]!))}`,
  );
  lines.push("");
  if (findings.length === 0)
    lines.push(`${paint("green", "Nothing is wrong.")} \`cortex check\` looks inside.`);
  for (const { severity, code, subject, message, remedy } of findings) {
    const style = severity === "damage" ? "red" : "yellow";
    lines.push(
      `${paint(style, code)}  ${toVisible(subject)}`,
      `  ${toVisible(message)}`,
      `  ${toVisible(remedy)}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function shown(name: string, value: JsonValue): string {
  if (value === null) return "unknown";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number" && name.endsWith("_bytes")) return formatSize(value);
  if (typeof value === "number" && name.endsWith("_at")) return formatExact(value);
  if (typeof value !== "object") return String(value);
  if (!Array.isArray(value)) return JSON.stringify(value);
  const items = value.map((item) => (isProcess(item) ? `${item.name} (${item.pid})` : JSON.stringify(item)));
  return items.length === 0 ? "none" : items.join(", ");
}

function isProcess(value: JsonValue): value is { pid: number; name: string } {
  return typeof value === "object" && value !== null && "pid" in value;
}
