/** Cuts the power everywhere in a scenario, and says what came of it. */
import { exploreScenario } from "../power/explore-scenario.ts";

const { name, seed, long } = JSON.parse(process.argv[2]!) as { name: string; seed: number; long: boolean };
console.log(JSON.stringify(await exploreScenario(name, { seed, long })));
