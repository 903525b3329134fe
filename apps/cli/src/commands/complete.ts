import {
  AVAILABILITIES,
  EVENT_KINDS,
  openRegistry,
  FILTER_FIELDS,
  MODEL_FIELDS,
  RIGHTS,
  ROLES,
  SOURCE_TYPES,
  toVisible,
} from "@cortex/model-db";
import type { CAC, Command } from "cac";

import { declareCli } from "../cli.ts";
import { longNames } from "../command-line.ts";
import { locationOf } from "../location.ts";
import { writeOut } from "../output/stream.ts";
import { TOKEN_ACTIONS } from "./token.ts";
import { USER_ACTIONS } from "./user.ts";

const MOST_NAMES = 200;

/**
 * Prints what the last of some words could become, one candidate a line. It is asked at each press of
 * the tab key: whatever goes wrong, there are no candidates, and nothing is said.
 * @param words what stands behind `cortex` so far, the last one unfinished and maybe empty
 */
export async function complete(words: readonly string[]): Promise<number> {
  try {
    const found = await candidates(words);
    writeOut(found.map((candidate) => `${toVisible(candidate)}\n`).join(""));
  } catch {
    // No candidates.
  }
  return 0;
}

async function candidates(words: readonly string[]): Promise<string[]> {
  const cli = declareCli();
  const before = words.slice(0, -1);
  const current = words.at(-1) ?? "";
  const texts = textsOf(before, cli);
  const verb = texts.find((word) => word !== "models");
  if (verb === "help" && texts.length === 1) return startingWith(current, verbsAndFlags(cli, current));
  const command = cli.commands.find((candidate) => candidate.isMatched(verb ?? ""));
  if (command === undefined)
    return verb === undefined ? startingWith(current, verbsAndFlags(cli, current)) : [];
  const flag = flagBefore(before, current, command, cli);
  if (flag !== undefined) return flagValues(flag.name, flag.written, current, before);
  if (current.startsWith("-")) return startingWith(current, flagsOf(command, cli));
  const position = texts.length - texts.indexOf(verb!) - 1;
  if (command.name === "migrate") return startingWith(current, ["status", "up", "down"]);
  if (command.name === "user") return position === 0 ? startingWith(current, USER_ACTIONS) : [];
  if (command.name === "token") return position === 0 ? startingWith(current, TOKEN_ACTIONS) : [];
  if (command.name === "completion") return startingWith(current, ["bash", "zsh", "fish"]);
  const arg = command.args[position] ?? command.args.findLast(({ variadic }) => variadic);
  return arg?.value === "model" || arg?.value === "models" ? await modelNames(current, before) : [];
}

function textsOf(words: readonly string[], cli: CAC): string[] {
  const valued = new Set(
    [cli.globalCommand, ...cli.commands].flatMap(({ options }) =>
      options.filter((option) => option.isBoolean !== true).flatMap(longNames),
    ),
  );
  return words.filter((word, index) => !word.startsWith("-") && !valued.has(words[index - 1] ?? ""));
}

function verbsAndFlags(cli: CAC, current: string): string[] {
  return current.startsWith("-")
    ? cli.globalCommand.options.flatMap(longNames)
    : cli.commands.map(({ name }) => name);
}

function flagsOf(command: Command, cli: CAC): string[] {
  return [...command.options, ...cli.globalCommand.options].flatMap(longNames);
}

interface AskedFlag {
  readonly name: string;
  /** `--flag=` where the value stands in the same word. */
  readonly written: string;
}

function flagBefore(
  before: readonly string[],
  current: string,
  command: Command,
  cli: CAC,
): AskedFlag | undefined {
  const equals = current.startsWith("--") ? current.indexOf("=") : -1;
  const name = equals === -1 ? (before.at(-1) ?? "") : current.slice(0, equals);
  const option = [...command.options, ...cli.globalCommand.options].find(
    (candidate) => candidate.isBoolean !== true && longNames(candidate).includes(name),
  );
  return option === undefined
    ? undefined
    : { name, written: equals === -1 ? "" : current.slice(0, equals + 1) };
}

async function flagValues(
  name: string,
  written: string,
  current: string,
  before: readonly string[],
): Promise<string[]> {
  const start = current.slice(written.length);
  const fields = MODEL_FIELDS.map((field) => field.name);
  const words: Readonly<Record<string, readonly string[]>> = {
    "--source-type": SOURCE_TYPES,
    "--availability": AVAILABILITIES,
    "--status": ["ready", "running"],
    "--kind": EVENT_KINDS,
    "--role": ROLES,
    "--scope": RIGHTS,
    "--sort": fields.flatMap((field) => [field, `${field}:desc`]),
    "--filter": FILTER_FIELDS.map((field) => field.name),
  };
  const found =
    name === "--repoint" ? await modelNames(start, before) : startingWith(start, words[name] ?? []);
  return found.map((candidate) => written + candidate);
}

async function modelNames(prefix: string, before: readonly string[]): Promise<string[]> {
  const db = before[before.lastIndexOf("--db") + 1];
  const location = locationOf(before.includes("--db") && db !== undefined ? { db } : {});
  const registry = await openRegistry(location, { mode: "read" });
  const names = await registry.models.names({ prefix, limit: MOST_NAMES });
  await registry.close();
  return names.map(({ name }) => name);
}

function startingWith(prefix: string, words: readonly string[]): string[] {
  return words.filter((word) => word.startsWith(prefix));
}
