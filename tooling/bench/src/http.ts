import { parseArgs } from "node:util";

import type { Setting } from "./case.ts";
import { HTTP_CASES } from "./http/cases/index.ts";
import { memory } from "./http/cases/memory.ts";
import { pinLoad } from "./http/processor-pinning.ts";
import { runCases } from "./run-cases.ts";

const HELP = `node --conditions=@cortex/source src/http.ts [options]

  --size <n>        how many models (10000)
  --only <name,…>   only these cases: ${HTTP_CASES.map(({ name }) => name).join(", ")}
  --quick           short: half a minute
  --long            also a million requests, and what they leave in memory: minutes
  --json <file>     write the results there as well
  --strict          exit code 1 when a goal is missed`;

const FULL: Setting["effort"] = {
  reads: { clock: "own", rounds: 9, batchMs: 400 },
  writes: { clock: "own", rounds: 9, batchMs: 400 },
  quick: false,
};
const QUICK: Setting["effort"] = {
  reads: { clock: "own", rounds: 3, batchMs: 150 },
  writes: { clock: "own", rounds: 3, batchMs: 150 },
  quick: true,
};

const { values: options } = parseArgs({
  options: {
    size: { type: "string", default: "10000" },
    only: { type: "string" },
    quick: { type: "boolean", default: false },
    long: { type: "boolean", default: false },
    json: { type: "string" },
    strict: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) console.log(HELP);
else {
  pinLoad();
  process.exitCode = await runCases({
    cases: options.long ? [...HTTP_CASES, memory] : HTTP_CASES,
    sizes: [Number(options.size)],
    only: options.only?.split(","),
    effort: options.quick ? QUICK : FULL,
    json: options.json,
    strict: options.strict,
    help: HELP,
  });
}
