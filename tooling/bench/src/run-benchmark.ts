import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import type { Case, Outcome, Setting } from "./case.ts";
import { fixtureAt, openFixture } from "./fixture.ts";
import { printGoals, printResult, toData, type ResultData } from "./report.ts";
import { runApart, type Task } from "./run-apart.ts";

type Effort = Pick<Setting["effort"], "reads" | "writes">;

/** What a program of benchmarks measures. */
export interface Benchmark {
  /** What the process of a case does first, and this one must not: the others would inherit it. */
  readonly beforeCase?: () => void;
  readonly cases: readonly Case[];
  /** Those that take minutes, and run when they are asked for. */
  readonly longCases?: readonly Case[];
  /** At how many models, when nothing else is said. */
  readonly sizes: readonly number[];
  readonly quickSizes: readonly number[];
  readonly effort: Effort;
  readonly quickEffort: Effort;
}

// What a case has made is removed at the end, also at this one.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

/**
 * Runs the cases that the command line asks for, prints what each finds and at the end every goal with what was
 * measured. The exit code becomes 1 when something failed, 2 for what cannot be run.
 */
export async function runBenchmark(benchmark: Benchmark): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      sizes: { type: "string" },
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      long: { type: "boolean", default: false },
      json: { type: "string" },
      strict: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      // What this program says to itself: a case that is to be run in this process.
      task: { type: "string" },
    },
  });
  if (options.task !== undefined) {
    const task = JSON.parse(options.task) as Task;
    benchmark.beforeCase?.();
    await runTask([...benchmark.cases, ...(benchmark.longCases ?? [])], task);
    return;
  }
  if (options.help) {
    console.log(helpFor(benchmark));
    return;
  }
  const { quick } = options;
  if (options.long && benchmark.longCases === undefined) {
    console.error(`There is nothing long here.\n\n${helpFor(benchmark)}`);
    process.exitCode = 2;
    return;
  }
  process.exitCode = await runCases({
    cases: [...benchmark.cases, ...(options.long ? (benchmark.longCases ?? []) : [])],
    sizes: options.sizes?.split(",").map(Number) ?? (quick ? benchmark.quickSizes : benchmark.sizes),
    only: options.only?.split(","),
    effort: { ...(quick ? benchmark.quickEffort : benchmark.effort), quick },
    json: options.json,
    strict: options.strict,
    help: helpFor(benchmark),
  });
}

function helpFor({ cases, longCases, sizes, quickSizes }: Benchmark): string {
  const long = longCases?.map(({ name }) => name).join(", ");
  return [
    "  --sizes <n,n,…>   how many models (" + sizes.join(",") + ")",
    "  --only <name,…>   only these cases: " + cases.map(({ name }) => name).join(", "),
    "  --quick           shorter and less exact, at " + quickSizes.join(" and ") + " models",
    ...(long === undefined ? [] : [`  --long            also what takes minutes: ${long}`]),
    "  --json <file>     write the results there as well",
    "  --strict          exit code 1 when a goal is missed",
  ].join("\n");
}

interface Run {
  readonly cases: readonly Case[];
  readonly sizes: readonly number[];
  /** The names of the cases to run; all when left out. */
  readonly only: readonly string[] | undefined;
  readonly effort: Setting["effort"];
  /** A file that the results are written to as well. */
  readonly json: string | undefined;
  /** A goal that is missed is a failure. */
  readonly strict: boolean;
  /** What is printed to whom asks for something that there is not. */
  readonly help: string;
}

/** @returns the exit code. */
async function runCases({ cases, sizes, only, effort, json, strict, help }: Run): Promise<number> {
  const unknown = only?.find((name) => cases.every((known) => known.name !== name));
  if (unknown !== undefined || !sizes.every((size) => Number.isSafeInteger(size) && size >= 10)) {
    console.error(
      unknown === undefined
        ? "--sizes takes whole numbers from 10."
        : `There is no case ${unknown}.\n\n${help}`,
    );
    return 2;
  }
  const results: ResultData[] = [];
  const began = performance.now();
  console.log(
    `Node ${process.version}, load ${loadavg()[0]!.toFixed(2)}. Times are for one run; x is against the reference.`,
  );
  for (const size of sizes) {
    const fixture = await openFixture(size, join(import.meta.dirname, "../node_modules/.cache/cortex-bench"));
    try {
      const { path, folder } = fixture;
      for (const { name, sizes: fits } of cases) {
        if (only?.includes(name) === false || fits?.(size) === false) continue;
        results.push(await runApart({ name, place: { size, path, folder }, effort }));
      }
    } finally {
      fixture.dispose();
    }
  }
  const missed = printGoals(results);
  const failures = results.filter(({ failure }) => failure !== undefined).length;
  if (failures > 0) console.log(`${failures} cases failed.`);
  console.log(`${((performance.now() - began) / 1000).toFixed(0)} s, load ${loadavg()[0]!.toFixed(2)}.`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  return failures > 0 || (strict && missed > 0) ? 1 : 0;
}

// Runs one case in this process, prints what it finds, and tells the process that has asked.
async function runTask(cases: readonly Case[], { name, place, effort }: Task): Promise<void> {
  const { run } = cases.find((known) => known.name === name)!;
  const start = performance.now();
  const outcome = await run({ fixture: fixtureAt(place), effort }).catch(failed);
  const seconds = (performance.now() - start) / 1000;
  const result = { name, size: place.size, seconds, ...outcome };
  printResult(result);
  process.send!(toData(result));
}

// One that fails does not take the others with it.
function failed(error: unknown): Outcome {
  return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
