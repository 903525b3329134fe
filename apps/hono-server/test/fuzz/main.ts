import { parseArgs } from "node:util";

import { fuzz } from "./fuzz.ts";

const HELP = `npm run fuzz:http -- [options]

Asks a server everything that its OpenAPI document allows, and what it does not allow.

  --seconds <n>   how long (300)
  --seed <n>      another sequence of requests (1)`;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) console.log(HELP);
else {
  const report = await fuzz(Number(values.seconds), Number(values.seed));
  console.log(JSON.stringify(report, null, 2));
  process.exitCode = report.faults.length === 0 ? 0 : 1;
}
