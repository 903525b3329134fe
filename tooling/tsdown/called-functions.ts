import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

import type { Rolldown } from "tsdown";

/** One run of a program, and what it reads from standard input. */
interface Run {
  readonly args: readonly string[];
  readonly input?: string;
}

/** How a program is tried, in a new folder that relative paths are of. */
export interface Trial {
  readonly env: NodeJS.ProcessEnv;
  readonly before: readonly Run[];
  /** The one whose functions count. */
  readonly run: Run;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

/** Where functions begin and end. */
type Ranges = ReadonlySet<string>;

// A method cannot stand in parentheses: its node begins after its name, and what Node tells of it before.
const FUNCTION = /^(Function|ArrowFunction)/;

/**
 * Has the functions that one run of a program calls compiled with its first file. V8 compiles a function when it is
 * first called, and Node keeps what was compiled with a file, not what came later: of a program that ends at once, each
 * start would compile nearly all of it again. To keep functions that are not called costs as much as that saves, so
 * the program, once it is written, is tried. What stands in parentheses V8 takes for called at once
 * (https://v8.dev/blog/preparser#pife).
 */
export function calledFunctions(trial: Trial): Rolldown.Plugin {
  return {
    name: "called-functions",
    writeBundle({ dir }, bundle) {
      for (const output of Object.values(bundle)) {
        if (output.type !== "chunk" || !output.isEntry) continue;
        const file = path.join(dir!, output.fileName);
        const code = readFileSync(file, "utf8");
        const eager = withEager(code, this.parse(code), calledIn(file, trial));
        if (eager === code) throw new Error(`No function of ${file} is known to be called.`);
        writeFileSync(file, eager);
      }
    },
  };
}

// Where the functions of a file that ran begin and end in it.
function calledIn(file: string, { env, before, run }: Trial): Ranges {
  const folder = mkdtempSync(path.join(tmpdir(), "called-functions-"));
  try {
    const coverage = path.join(folder, "coverage");
    const start = ({ args, input = "" }: Run, more?: NodeJS.ProcessEnv): unknown =>
      execFileSync(process.execPath, [file, ...args], {
        cwd: folder,
        env: { ...env, ...more },
        input,
        stdio: "pipe",
      });
    for (const each of before) start(each);
    start(run, { NODE_V8_COVERAGE: coverage });
    const [report] = readdirSync(coverage);
    const { result } = JSON.parse(readFileSync(path.join(coverage, report!), "utf8")) as {
      result: {
        url: string;
        functions: { ranges: { startOffset: number; endOffset: number; count: number }[] }[];
      }[];
    };
    const found = result.find(({ url }) => url === pathToFileURL(file).href);
    if (found === undefined) throw new Error(`Node does not tell which functions of ${file} were called.`);
    const ranges = found.functions.map(({ ranges: [whole] }) => whole!);
    return new Set(
      ranges.filter(({ count }) => count > 0).map((range) => rangeOf(range.startOffset, range.endOffset)),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function rangeOf(start: number, end: number): string {
  return `${start}-${end}`;
}

// The text of a node, in which each function that was called stands in parentheses. Of a body (the program's or a
// function's), declarations that were called become variables, ahead of all but directives, as they were.
function withEager(code: string, node: Node, called: Ranges, isBody = node.type === "Program"): string {
  let text = "";
  let at = node.start;
  let first = node.type === "Program" ? 0 : 1;
  const variables: string[] = [];
  for (const child of childrenOf(node)) {
    // In `{ name }` one text is two nodes.
    if (child.start < at) continue;
    text += code.slice(at, child.start);
    at = child.end;
    const opensBody = FUNCTION.test(node.type) && child.type === "BlockStatement";
    const written = withEager(code, child, called, opensBody);
    const isCalled = FUNCTION.test(child.type) && called.has(rangeOf(child.start, child.end));
    if (isCalled && child.type !== "FunctionDeclaration") text += `(${written})`;
    else if (isCalled && isBody) {
      const [name] = childrenOf(child) as [Node];
      const nameless = written.slice(0, name.start - child.start) + written.slice(name.end - child.start);
      variables.push(`${code.slice(name.start, name.end)}=(${nameless})`);
    } else text += written;
    if ("directive" in child && child.directive) first = text.length;
  }
  text += code.slice(at, node.end);
  if (variables.length === 0) return text;
  return `${text.slice(0, first)}var ${variables.join(",")};${text.slice(first)}`;
}

function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flat()
    .filter(isNode)
    .toSorted((a, b) => a.start - b.start);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}
