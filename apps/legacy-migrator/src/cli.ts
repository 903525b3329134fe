import { nearest, toVisible } from "@cortex/model-db";
import { cac, type CAC } from "cac";

import { MisuseError } from "./misuse-error.ts";

/** What the command line asks for. */
export interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly report?: string;
  readonly inPlace: boolean;
  readonly dryRun: boolean;
  readonly rollback: boolean;
  readonly yes: boolean;
  readonly json: boolean;
  /** `false` with `--no-color`. */
  readonly color: boolean;
}

/** What `bridge` is asked for. */
export interface BridgeCommand {
  readonly list: string;
  readonly to?: string;
  readonly once: boolean;
  readonly json: boolean;
}

export type Invocation =
  | { readonly kind: "run"; readonly options: Options }
  | { readonly kind: "bridge"; readonly options: BridgeCommand }
  | { readonly kind: "help"; readonly of: string }
  | { readonly kind: "version" };

const EXIT_CODES = `  0  done; lines that were refused are counted and shown, and do not fail the run
  1  failed: nothing was written, or what was written is not what the old store says
  2  misused
  3  no old data, or no backup to put back
  6  the registry is damaged
  130  interrupted: nothing was written, unless it says so; a bridge that is told to stop is done: 0`;
const REGISTRY = "The registry (default: CORTEX_DB, else registry.db in the data folder of cortex)";
const BRIDGE = "bridge";

/** Every argument and flag, on one screen. */
function declare(): CAC {
  const cli = cac("cortex-migrate");
  cli
    .command(
      "[data-folder]",
      "Move an old cortex data folder (model.list, cortex.db) into the model registry",
    )
    .option("--from <path>", "The same as [data-folder]: a data folder, or a model.list or cortex.db itself")
    .option("--to <path>", REGISTRY)
    .option(
      "--in-place",
      "Put the registry into the old cortex.db itself, which old programs go on using; stop them meanwhile",
    )
    .option("--dry-run", "Show what would be done, and write nothing")
    .option(
      "--report <file>",
      "Write what became of every line and row to a new file: one JSON object per line",
    )
    .option("--json", "Print one JSON document, with every line and row in data")
    .option("--rollback", "Put the registry back as it was before the last migration")
    .option("-y, --yes", "Do not ask")
    .option("--no-color", "No colours; so does NO_COLOR")
    .example("cortex-migrate --dry-run")
    .example("cortex-migrate ~/cortexcpp --report report.jsonl")
    .example("cortex-migrate --in-place ~/cortexcpp")
    .example("cortex-migrate --rollback")
    .example("cortex-migrate bridge ~/cortexcpp/models/model.list");
  cli
    .command(`${BRIDGE} <model.list>`, "Keep a model.list and the registry in step, both ways, until stopped")
    .option("--to <path>", REGISTRY)
    .option("--once", "Leave once both sides agree, instead of going on until stopped")
    .option("--json", "Print one JSON object per line for each thing that happens")
    .example("cortex-migrate bridge ~/cortexcpp/models/model.list")
    .example("cortex-migrate bridge ~/cortexcpp/models/model.list --once");
  cli.help((sections) => [
    ...sections
      .filter(({ title }) => title === undefined || !/^(?:Commands|For more info)/.test(title))
      // cac says so of every flag that begins with --no.
      .map(({ title, body }) => ({
        ...(title === undefined ? {} : { title }),
        body: body.replaceAll(" (default: true)", ""),
      })),
    { title: "Exit codes", body: EXIT_CODES },
  ]);
  cli.option("-v, --version", "Print the version");
  return cli;
}

/**
 * Reads the command line, without the program's own name.
 *
 * @throws MisuseError
 */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const cli = declare();
  const { command, words, positionals, wants } = protect(argv, cli);
  if (wants === "help") return { kind: "help", of: command };
  if (wants === "version") return { kind: wants };
  if (command === BRIDGE) return { kind: "bridge", options: parseBridge(cli, words, positionals) };
  if (positionals.length > 1) throw new MisuseError(tooMany(positionals[0]!));
  cli.parse(["node", "cortex-migrate", ...words], { run: false });
  const given = cli.options as Record<string, unknown>;
  const text = (name: string): string | undefined => textOf(name, given[name]);
  const from = text("from") ?? positionals[0];
  const [to, report] = [text("to"), text("report")];
  if (text("from") !== undefined && positionals.length > 0) {
    throw new MisuseError("Name the data folder once: as an argument or with --from.");
  }
  if (from === "") throw new MisuseError("The data folder must not be empty.");
  const options: Options = {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(report === undefined ? {} : { report }),
    inPlace: given["inPlace"] === true,
    dryRun: given["dryRun"] === true,
    rollback: given["rollback"] === true,
    yes: given["yes"] === true,
    json: given["json"] === true,
    color: given["color"] !== false,
  };
  if (options.inPlace && to !== undefined) {
    throw new MisuseError("--in-place takes no --to: the registry will be in the old cortex.db.");
  }
  if (options.rollback && ((from !== undefined && !options.inPlace) || report !== undefined)) {
    throw new MisuseError(
      "--rollback takes --to, or --in-place and a data folder: it puts the registry back, from its own backup.",
    );
  }
  return { kind: "run", options };
}

function tooMany(first: string): string {
  return nearest(first, [BRIDGE]) === undefined
    ? "Name one data folder."
    : `There is no command ${toVisible(first)}. Did you mean cortex-migrate ${BRIDGE}?`;
}

function parseBridge(cli: CAC, words: readonly string[], positionals: readonly string[]): BridgeCommand {
  const [list] = positionals;
  if (list === undefined || list === "" || positionals.length > 1) {
    throw new MisuseError("Name one model.list: cortex-migrate bridge <model.list>");
  }
  cli.parse(["node", "cortex-migrate", BRIDGE, "list", ...words], { run: false });
  const given = cli.options as Record<string, unknown>;
  const to = textOf("to", given["to"]);
  return {
    list,
    ...(to === undefined ? {} : { to }),
    once: given["once"] === true,
    json: given["json"] === true,
  };
}

/** Prints what the program, or a command of it, does and takes. */
export function printHelp(of: string): void {
  const cli = declare();
  cli.parse(["node", "cortex-migrate", ...(of === "" ? [] : [of]), "--help"], { run: false });
}

// cac casts values to numbers (`007` to 7) and takes what follows a switch for its value. So each value is
// handed over behind a second `=`, which only a text can have; and what is no flag is kept from it.
function protect(
  argv: readonly string[],
  cli: CAC,
): { command: string; words: string[]; positionals: string[]; wants: "help" | "version" | undefined } {
  // A data folder of that name is ./bridge.
  const isBridge = argv[0] === BRIDGE;
  const command = cli.commands.find(({ name }) => name === (isBridge ? BRIDGE : ""))!;
  const options = [...cli.globalCommand.options, ...command.options];
  const named = new Map(
    options.flatMap((option) => namesOf(option.rawName).map((name) => [name, option] as const)),
  );
  const words: string[] = [];
  const positionals: string[] = [];
  let wants: "help" | "version" | undefined;
  for (let index = isBridge ? 1 : 0; index < argv.length; index++) {
    const word = argv[index]!;
    if (word === "--") {
      positionals.push(...argv.slice(index + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      positionals.push(word);
      continue;
    }
    const equals = word.indexOf("=");
    const name = equals === -1 ? word : word.slice(0, equals);
    const option = named.get(name);
    if (option === undefined) throw unknownFlag(name, named.keys());
    if (option.name === "help" || option.name === "version") {
      wants ??= option.name;
      continue;
    }
    if (option.isBoolean === true) {
      if (equals !== -1) throw new MisuseError(`${name} is a switch and takes no value.`);
      words.push(name);
      continue;
    }
    const value = equals === -1 ? argv[++index] : word.slice(equals + 1);
    if (value === undefined || value === "" || (equals === -1 && named.has(value))) {
      throw new MisuseError(`${name} needs a value: ${option.rawName}.`);
    }
    words.push(`${name}==${value}`);
  }
  return { command: command.name, words, positionals, wants };
}

function textOf(name: string, value: unknown): string | undefined {
  if (Array.isArray(value)) throw new MisuseError(`--${name} is given twice.`);
  return typeof value === "string" ? value.slice(1) : undefined;
}

function unknownFlag(name: string, known: Iterable<string>): MisuseError {
  const near = nearest(
    name,
    [...known].filter((flag) => flag.startsWith("--")),
  );
  const hint = near === undefined ? "cortex-migrate --help lists all." : `Did you mean ${near}?`;
  return new MisuseError(`There is no flag ${toVisible(name).slice(0, 80)}. ${hint}`);
}

function namesOf(rawName: string): string[] {
  return rawName
    .replace(/[<[].*/, "")
    .split(",")
    .map((name) => name.trim());
}
