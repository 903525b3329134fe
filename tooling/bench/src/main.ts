import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import type { Outcome, Setting } from "./case.ts";
import { CASES } from "./cases/index.ts";
import { openFixture } from "./fixture.ts";
import { printGoals, printResult, toData, type Result } from "./report.ts";

const HELP = `node --conditions=@cortex/source src/main.ts [options]

  --sizes <n,n,…>   how many models (100,10000,1000000)
  --only <name,…>   only these cases: ${CASES.map(({ name }) => name).join(", ")}
  --quick           100 and 10,000 models, short: under a minute
  --json <file>     write the results there as well
  --strict          exit code 1 when a goal is missed`;

const FULL: Setting["effort"] = {
  reads: { clock: "cpu", rounds: 15, batchMs: 12 },
  writes: { clock: "wall", rounds: 15, batchMs: 20 },
  quick: false,
};
const QUICK: Setting["effort"] = {
  reads: { clock: "cpu", rounds: 7, batchMs: 4 },
  writes: { clock: "wall", rounds: 5, batchMs: 8 },
  quick: true,
};

// What a case has made is removed at the end, also at this one.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const { values: options } = parseArgs({
  options: {
    sizes: { type: "string" },
    only: { type: "string" },
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    strict: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) console.log(HELP);
else process.exitCode = await main();

async function main(): Promise<number> {
  const sizes = (options.sizes ?? (options.quick ? "100,10000" : "100,10000,1000000")).split(",").map(Number);
  const only = options.only?.split(",");
  const unknown = only?.find((name) => CASES.every((known) => known.name !== name));
  if (unknown !== undefined || !sizes.every((size) => Number.isSafeInteger(size) && size >= 10)) {
    console.error(
      unknown === undefined
        ? "--sizes takes whole numbers from 10."
        : `There is no case ${unknown}.\n\n${HELP}`,
    );
    return 2;
  }
  const effort = options.quick ? QUICK : FULL;
  const results: Result[] = [];
  const began = performance.now();
  console.log(
    `Node ${process.version}, load ${loadavg()[0]!.toFixed(2)}. Times are for one run; x is against the reference.`,
  );
  for (const size of sizes) {
    const fixture = await openFixture(size, join(import.meta.dirname, "../node_modules/.cache/cortex-bench"));
    try {
      for (const { name, run, sizes: fits } of CASES) {
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
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify(toData(results), null, 2)}\n`);
  return failures > 0 || (options.strict && missed > 0) ? 1 : 0;
}

// One that fails does not take the others with it.
function failed(error: unknown): Outcome {
  return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
