import { parseArgs } from "node:util";

import type { Setting } from "./case.ts";
import { CASES } from "./cases/index.ts";
import { runCases } from "./run-cases.ts";

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
else {
  process.exitCode = await runCases({
    cases: CASES,
    sizes: (options.sizes ?? (options.quick ? "100,10000" : "100,10000,1000000")).split(",").map(Number),
    only: options.only?.split(","),
    effort: options.quick ? QUICK : FULL,
    json: options.json,
    strict: options.strict,
    help: HELP,
  });
}
