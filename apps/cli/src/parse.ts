import type { CAC, Command } from "cac";

import { declareCli, type Verb } from "./cli.ts";
import { readCommandLine, type CommandLine } from "./command-line.ts";
import { MisuseError } from "./errors.ts";
import { quote, toValue } from "./values.ts";

/** Flags and arguments by their camelCase names. */
type Options = Readonly<Record<string, unknown>>;

/** What a command line asks for. */
export type Invocation =
  | {
      readonly kind: "verb";
      readonly name: string;
      readonly options: Options;
      readonly load: () => Promise<Verb>;
    }
  | { readonly kind: "help"; readonly cli: CAC; readonly command: Command | undefined }
  | { readonly kind: "version" };

/**
 * Reads a command line, without the program's own name.
 * @throws MisuseError for an unknown verb or flag, a value that is missing or wrong, and for an
 *   argument too few or too many
 */
export function parse(argv: readonly string[]): Invocation {
  const words = argv[0] === "help" ? [...argv.slice(1), "--help"] : argv;
  const cli = declareCli(
    words.find((word, index) => !word.startsWith("-") && word !== "models" && words[index - 1] !== "--db"),
  );
  const line = readCommandLine(words, cli);
  const { command } = line;
  if (line.flags.some(({ option }) => option.name === "help")) return { kind: "help", cli, command };
  if (line.flags.some(({ option }) => option.name === "version")) return { kind: "version" };
  if (command === undefined) return { kind: "help", cli, command };
  parseWithCac(cli, command, line);
  checkArguments(command, line.texts);
  return {
    kind: "verb",
    name: command.name,
    options: { ...namedArguments(command, line.texts), ...flagValues(cli, command) },
    load: () => command.commandAction!() as Promise<Verb>,
  };
}

/**
 * cac would turn `007` into 7 and an empty value into 0, and reads every word once per verb. So it
 * gets the one verb, and each text behind a `=`, which can only be read as a text.
 */
function parseWithCac(cli: CAC, command: Command, line: CommandLine): void {
  const flags = line.flags.map(({ option, value }) => {
    const name = toKebab(option.name);
    if (typeof value === "string") return `--${name}==${value}`;
    return value ? `--${name}` : `--no-${name}`;
  });
  cli.commands = [command];
  cli.parse(["", "", command.name, ...line.texts.map((text) => `=${text}`), ...flags], { run: false });
}

function checkArguments(command: Command, texts: readonly string[]): void {
  // One that ends with dots needs no further one.
  const usage = `cortex ${usageOf(command)}.`.replace(/\.{4}$/, "...");
  const missing = command.args.filter((arg) => arg.required)[texts.length];
  if (missing !== undefined) throw new MisuseError(`<${missing.value}> is missing: ${usage}`);
  const extra = texts[command.args.length];
  if (extra !== undefined && !command.args.some((arg) => arg.variadic)) {
    throw new MisuseError(`${quote(extra)} is one argument too many: ${usage}`);
  }
}

/** A verb with its arguments as people write them: `show <models>...`. */
export function usageOf(command: Command): string {
  return command.rawName.replaceAll(/([<[])\.\.\.([^>\]]+)([>\]])/g, "$1$2$3...");
}

function namedArguments(command: Command, texts: readonly string[]): Options {
  const named: Record<string, unknown> = {};
  for (const [index, { value, variadic }] of command.args.entries()) {
    const name = value.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    if (variadic) named[name] = texts.slice(index);
    else if (texts[index] !== undefined) named[name] = texts[index];
  }
  return named;
}

function flagValues(cli: CAC, command: Command): Options {
  const values: Record<string, unknown> = {};
  for (const option of [...cli.globalCommand.options, ...command.options]) {
    const given: unknown = cli.options[option.name];
    if (given === undefined || option.name in values) continue;
    const placeholder = /<(.+)>/.exec(option.rawName)?.[1] ?? "";
    const read = [given]
      .flat()
      .map((value) =>
        typeof value === "string" ? toValue(toKebab(option.name), placeholder, value.slice(1)) : value,
      );
    // Given twice, the last one counts, unless the flag collects.
    values[option.name] = Array.isArray(option.config.type) ? read : read.at(-1);
  }
  return values;
}

function toKebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
