import { parseArgs } from "node:util";

import type { Setting } from "./case.ts";
import { runCases } from "./run-cases.ts";
import { SOURCE_CASES } from "./sources/cases/index.ts";

const HELP = `node --conditions=@cortex/source src/sources.ts [options]

  --only <name,…>   only these cases: ${SOURCE_CASES.map(({ name }) => name).join(", ")}
  --quick           short, and with smaller files
  --json <file>     write the results there as well
  --strict          exit code 1 when a goal is missed`;

// How many models the case that looks for them has.
const SIZE = 10_000;
const FULL: Setting["effort"] = {
  reads: { clock: "own", rounds: 5, batchMs: 0 },
  writes: { clock: "own", rounds: 5, batchMs: 0 },
  quick: false,
};
const QUICK: Setting["effort"] = {
  reads: { clock: "own", rounds: 3, batchMs: 0 },
  writes: { clock: "own", rounds: 3, batchMs: 0 },
  quick: true,
};

const { values: options } = parseArgs({
  options: {
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
    cases: SOURCE_CASES,
    sizes: [SIZE],
    only: options.only?.split(","),
    effort: options.quick ? QUICK : FULL,
    json: options.json,
    strict: options.strict,
    help: HELP,
  });
}
