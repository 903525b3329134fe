import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";

import type { Case, Outcome, Setting } from "./case.ts";
import { openFixture } from "./fixture.ts";
import { printGoals, printResult, toData, type Result } from "./report.ts";

/** What a run of a benchmark is asked for. */
export interface Run {
  readonly cases: readonly Case[];
  /** How many models. */
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

// What a case has made is removed at the end, also at this one.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

/**
 * Runs cases at sizes, prints what each finds and at the end every goal with what was measured.
 *
 * @returns the exit code: 0, 1 when something failed, 2 for what cannot be run.
 */
export async function runCases({ cases, sizes, only, effort, json, strict, help }: Run): Promise<number> {
  const unknown = only?.find((name) => cases.every((known) => known.name !== name));
  if (unknown !== undefined || !sizes.every((size) => Number.isSafeInteger(size) && size >= 10)) {
    console.error(
      unknown === undefined
        ? "--sizes takes whole numbers from 10."
        : `There is no case ${unknown}.\n\n${help}`,
    );
    return 2;
  }
  const results: Result[] = [];
  const began = performance.now();
  console.log(
    `Node ${process.version}, load ${loadavg()[0]!.toFixed(2)}. Times are for one run; x is against the reference.`,
  );
  for (const size of sizes) {
    const fixture = await openFixture(size, join(import.meta.dirname, "../node_modules/.cache/cortex-bench"));
    try {
      for (const { name, run, sizes: fits } of cases) {
        if (only?.includes(name) === false || fits?.(size) === false) continue;
        const start = performance.now();
        const outcome = await run({ fixture, effort }).catch(failed);
        const result: Result = { name, size, seconds: (performance.now() - start) / 1000, ...outcome };
        printResult(result);
        results.push(result);
      }
    } finally {
      fixture.dispose();
    }
  }
  const missed = printGoals(results);
  const failures = results.filter(({ failure }) => failure !== undefined).length;
  if (failures > 0) console.log(`${failures} cases failed.`);
  console.log(`${((performance.now() - began) / 1000).toFixed(0)} s, load ${loadavg()[0]!.toFixed(2)}.`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(toData(results), null, 2)}\n`);
  return failures > 0 || (strict && missed > 0) ? 1 : 0;
}

// One that fails does not take the others with it.
function failed(error: unknown): Outcome {
  return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
