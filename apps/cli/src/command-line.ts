import type { CAC, Command } from "cac";

import { MisuseError } from "./errors.ts";
import { quote } from "./values.ts";

type Option = Command["options"][number];

/** The words of a command line, told apart. */
export interface CommandLine {
  /** The verb; `undefined` when none is named. */
  readonly command: Command | undefined;
  /** The verb's arguments, as they were written. */
  readonly texts: readonly string[];
  /** The flags, in order: `true` and `false` for a switch, a text for the others. */
  readonly flags: readonly { readonly option: Option; readonly value: string | boolean }[];
}

/**
 * Tells verb, arguments and flags apart. `models` before a verb is skipped: the old program's verbs
 * stood behind it. Everything behind `--` is an argument.
 * @throws MisuseError for an unknown verb or flag, and for a flag without its value
 */
export function readCommandLine(argv: readonly string[], cli: CAC): CommandLine {
  const verbIndex = findVerb(argv, cli);
  const command = verbIndex === undefined ? undefined : commandOf(argv[verbIndex]!, cli);
  const texts: string[] = [];
  const flags: { option: Option; value: string | boolean }[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index]!;
    if (word === "--") {
      texts.push(...argv.slice(index + 1));
      break;
    }
    const isBehindVerb = verbIndex !== undefined && index > verbIndex;
    if (!isFlag(word, command) || (isBehindVerb && isPassedOn(word, command))) {
      if (isBehindVerb) texts.push(word);
      continue;
    }
    for (const flag of toFlags(word, command, cli)) {
      if (flag.option.isBoolean === true) {
        flags.push({ option: flag.option, value: toSwitch(flag) });
        continue;
      }
      let { value } = flag;
      if (value === undefined) {
        index += 1;
        value = argv[index];
        if (value === undefined || isMistakenValue(value)) {
          throw new MisuseError(`${flag.written} needs a value: ${flag.option.rawName}.`);
        }
      }
      flags.push({ option: flag.option, value });
    }
  }
  return { command, texts, flags };
}

function findVerb(argv: readonly string[], cli: CAC): number | undefined {
  const options = [cli.globalCommand, ...cli.commands].flatMap((command) => command.options);
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index]!;
    if (word === "--") return undefined;
    if (word.startsWith("-") && word !== "-") {
      // Its value is not the verb.
      if (options.some((option) => option.isBoolean !== true && longNames(option).includes(word))) index += 1;
    } else if (word !== "models") {
      return index;
    }
  }
  return undefined;
}

function commandOf(word: string, cli: CAC): Command {
  const command = cli.commands.find((candidate) => candidate.isMatched(word));
  if (command !== undefined) return command;
  const names = cli.commands.flatMap((candidate) => [candidate.name, ...candidate.aliasNames]);
  const hint = word === "undo" ? "`cortex restore --at <time>` goes back" : "`cortex --help` lists all";
  throw new MisuseError(`There is no verb ${quote(word)}: ${hint}.`, {
    written: word,
    among: names,
  });
}

function isFlag(word: string, command: Command | undefined): boolean {
  if (!word.startsWith("-") || word === "-") return false;
  // `cortex tag model -old` takes a tag away.
  return word.startsWith("--") || command?.name !== "tag" || /^-[qh]+$/.test(word);
}

/** What stands behind `serve` is the server's. */
function isPassedOn(word: string, command: Command | undefined): boolean {
  return command?.name === "serve" && word !== "--help" && word !== "-h";
}

/** A value such as `-5` belongs to its flag, which says what is wrong with it; another flag does not. */
function isMistakenValue(word: string): boolean {
  return word.startsWith("--") || /^-[qhyv]$/.test(word);
}

interface WrittenFlag {
  readonly option: Option;
  readonly written: string;
  readonly value: string | undefined;
}

function toFlags(word: string, command: Command | undefined, cli: CAC): WrittenFlag[] {
  const options = [...cli.globalCommand.options, ...(command?.options ?? [])];
  const equals = word.indexOf("=");
  const written = equals === -1 ? word : word.slice(0, equals);
  const value = equals === -1 ? undefined : word.slice(equals + 1);
  const names = written.startsWith("--") ? [written] : Array.from(written.slice(1), (letter) => `-${letter}`);
  return names.map((name) => {
    const option = findOption(name, options);
    if (option === undefined) throw unknownFlag(name, command, options);
    return { option, written: name, value };
  });
}

function findOption(name: string, options: readonly Option[]): Option | undefined {
  return (
    options.find((option) => namesOf(option).includes(name)) ??
    // `--color` undoes a `--no-color` that an alias of the shell added.
    options.find((option) => option.negated && namesOf(option).includes(name.replace(/^--/, "--no-"))) ??
    (name === "--no-tag" ? options.find((option) => option.name === "withoutTag") : undefined)
  );
}

function toSwitch({ written, value }: WrittenFlag): boolean {
  if (value !== undefined && value !== "true" && value !== "false") {
    throw new MisuseError(`${written} is a switch and takes no value.`);
  }
  return (value !== "false") !== written.startsWith("--no-");
}

function unknownFlag(name: string, command: Command | undefined, options: readonly Option[]): MisuseError {
  const verb = command === undefined ? "cortex" : `cortex ${command.name}`;
  if (!name.startsWith("--")) {
    return new MisuseError(
      `${verb} has no flag ${quote(name)}. An argument that begins with - goes behind --.`,
    );
  }
  const meant = { written: name, among: options.flatMap(longNames) };
  return new MisuseError(`${verb} has no flag ${quote(name)}: \`${verb} --help\` lists all.`, meant);
}

function namesOf(option: Option): string[] {
  return option.rawName
    .replace(/[<[].*/, "")
    .split(",")
    .map((name) => name.trim());
}

/** The names of a flag that begin with two dashes, as they are written. */
export function longNames(option: Option): string[] {
  return namesOf(option).filter((name) => name.startsWith("--"));
}
