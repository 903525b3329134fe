import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { EXPERIMENTS } from "./experiments/index.ts";
import { replay } from "./experiments/power.ts";

const HELP = `npm run crash-lab -- <experiment> [options]

${EXPERIMENTS.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join("\n")}
  all          every one of them

  --long              all of it, for minutes; otherwise as much as the tests do
  --seed <n>          another sequence of random choices (1)
  --only <part>       only this part of the experiment
  --json <file>       write the figures there as well
  --place <folder>    damage: with the registry that a run with failures kept
  --place <folder> --state <state>   power: judge one state again, of a recording that was kept`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    long: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    json: { type: "string" },
    place: { type: "string" },
    state: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
process.exitCode = await main();

async function main(): Promise<number> {
  const [name] = positionals;
  const experiments = EXPERIMENTS.filter((one) => name === "all" || one.name === name);
  if (options.help || experiments.length === 0) {
    console.log(HELP);
    return options.help ? 0 : 2;
  }
  const { place, state, only } = options;
  if (place !== undefined && state !== undefined && only !== undefined) {
    console.log(await replay(place, only, state));
    return 0;
  }
  const figures: Record<string, unknown> = {};
  let failed = 0;
  for (const experiment of experiments) {
    const start = performance.now();
    const setting = { seed: Number(options.seed), long: options.long, only, place, say: console.log };
    const outcome = await experiment.run(setting);
    const seconds = Math.round((performance.now() - start) / 1000);
    for (const failure of outcome.failures) console.log(`FAILED ${failure}`);
    console.log(`${outcome.summary} ${seconds} s.`);
    figures[experiment.name] = {
      ...outcome.figures,
      seconds,
      command: commandOf(experiment.name),
    };
    failed += outcome.failures.length;
  }
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  return failed === 0 ? 0 : 1;
}

function commandOf(name: string): string {
  const long = options.long ? " --long" : "";
  return `npm run crash-lab -- ${name}${long} --seed ${options.seed}`;
}
