import { MODEL_FIELDS } from "@cortex/model-db";
import type { CAC, Command } from "cac";

import { outputColumns, writeOut } from "./output/stream.ts";
import { usageOf } from "./parse.ts";
import { version } from "./version.ts";

const ABOUT = [
  "It knows what each model is, where it came from, where its files are, whether it runs and for whom,",
  "and what happened to it. A model has an id, such as TheBloke:Mistral-7B-GGUF:q4.gguf, and may have",
  "shorter names, its aliases; every verb takes either. The registry is one file, which",
  "the first model that comes in makes. Models of the old cortex program come over with `cortex-migrate`.",
].join(" ");

const GROUPS: readonly [title: string, verbs: readonly string[]][] = [
  ["Look", ["list", "show", "search", "ps", "history", "watch"]],
  ["Bring in", ["import", "pull", "transfer", "scan"]],
  ["Change", ["add", "update", "alias", "tag", "rm"]],
  ["Run", ["start", "stop"]],
  ["Files and space", ["verify", "df", "prune", "outdated", "mv"]],
  ["Keep it safe", ["backup", "check", "repair", "restore", "doctor"]],
  ["Over HTTP, for several people", ["serve", "user", "token"]],
  ["The registry", ["export", "apply", "migrate", "completion"]],
];

const EXIT_CODES =
  "0 done, 1 failed, 2 misused, 3 not found, 4 conflict (name taken, running, changed meanwhile), 5 not allowed, 6 the registry is damaged, 130 interrupted";

const START = `Start here
  cortex add my-model --size-bytes 4.7GB --tag chat
  cortex list
  cortex show my-model
  cortex help list
`;

/** Explains a verb, or the whole program. */
export function printHelp(cli: CAC, command: Command | undefined): void {
  const width = outputColumns() ?? 100;
  writeOut(command === undefined ? helpOfAll(cli, width) : helpOfVerb(cli, command, width));
}

/** Prints the version of this package. */
export function printVersion(): void {
  writeOut(`${version()}\n`);
}

function helpOfAll(cli: CAC, width: number): string {
  const verbs = GROUPS.map(([title, names]) => {
    const rows = names.map((name): [string, string] => {
      const command = cli.commands.find((candidate) => candidate.name === name)!;
      return [`cortex ${usageOf(command)}`, command.description];
    });
    return `${title}\n${toRows(rows, width)}`;
  });
  return [
    "cortex: the registry of the models on this machine\n",
    paragraph(ABOUT, width),
    ...verbs,
    `On every verb\n${toRows(flagRows(cli.globalCommand), width)}`,
    `Exit codes\n${paragraph(EXIT_CODES, width, "  ")}`,
    START,
  ].join("\n");
}

function helpOfVerb(cli: CAC, command: Command, width: number): string {
  const also =
    command.aliasNames.length === 0
      ? ""
      : `Also: ${command.aliasNames.map((name) => `cortex ${name}`).join(", ")}\n`;
  const parts = [`${paragraph(command.description, width)}\n  cortex ${usageOf(command)} [flags]\n${also}`];
  if (command.options.length > 0) parts.push(`Flags\n${toRows(flagRows(command), width)}`);
  if (command.options.some((option) => option.name === "filter")) parts.push(fieldsHelp(width));
  parts.push(`On every verb\n${toRows(flagRows(cli.globalCommand), width)}`);
  if (command.examples.length > 0)
    parts.push(`Examples\n${command.examples.map((example) => `  ${String(example)}\n`).join("")}`);
  return parts.join("\n");
}

function fieldsHelp(width: number): string {
  const names = MODEL_FIELDS.filter(({ type }) => type !== "list" && type !== "object").map(
    ({ name }) => name,
  );
  return [
    "Fields, for --filter and --sort\n",
    paragraph(names.join(", "), width, "  "),
    paragraph(UNITS, width, "  "),
  ].join("");
}

const UNITS =
  "Sizes and counts: 4GB is 4,000,000,000 and 4GiB is 4,294,967,296. Times: 2026-01-31, 2026-01-31T12:00:00Z (UTC where no zone is given), or 2d for two days ago.";

function paragraph(text: string, width: number, indent = ""): string {
  return wrap(text, width - indent.length)
    .map((line) => `${indent}${line}\n`)
    .join("");
}

function flagRows(command: Command): [string, string][] {
  return command.options.map((option) => [
    option.rawName.startsWith("--") ? `    ${option.rawName}` : option.rawName,
    option.description,
  ]);
}

/** Two aligned columns; the second one wraps. */
function toRows(rows: readonly (readonly [string, string])[], width: number): string {
  const left = Math.min(40, Math.max(...rows.map(([name]) => name.length)));
  const right = width - left - 4;
  return rows
    .map(([name, text]) => {
      // Where there is no room beside it, the text goes below.
      if (right < 24) return `  ${name}\n${paragraph(text, width, "      ")}`;
      return `  ${name.padEnd(left)}  ${wrap(text, right).join(`\n${" ".repeat(left + 4)}`)}\n`;
    })
    .join("");
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
