import { availableParallelism } from "node:os";

import type { Experiment, Outcome, Setting } from "../experiment.ts";
import { scenarioOf, type ScenarioResult } from "../power/explore-scenario.ts";
import { explore, type Exploration } from "../power/explore.ts";
import { canTrace, readRecording } from "../power/recording.ts";
import { FAULTY_SCENARIOS, SCENARIOS, type Scenario } from "../power/scenarios.ts";
import { startScript } from "../start-script.ts";

/** The power is cut after each system call of a program that changes a registry. */
export const power: Experiment = {
  name: "power",
  about: "the power is cut after each system call, and what was not synced is kept, lost or torn",
  run,
};

async function run(setting: Setting): Promise<Outcome> {
  if (!canTrace) {
    const skipped = "there is no strace, or no right to trace a process";
    return { summary: `power: skipped, ${skipped}.`, figures: {}, failures: [], skipped };
  }
  const honest: Record<string, Exploration> = {};
  const faulty: Record<string, Exploration> = {};
  const failures: string[] = [];
  let leftOut: ScenarioResult["leftOutSyncs"];
  const waiting = [...chosen(SCENARIOS, setting), ...chosen(FAULTY_SCENARIOS, setting)];
  const work = async (): Promise<void> => {
    for (let scenario = waiting.shift(); scenario !== undefined; scenario = waiting.shift()) {
      const { name } = scenario;
      const { exploration, place, leftOutSyncs } = await exploreElsewhere(name, setting);
      setting.say(`${name}: ${described(exploration)}`);
      leftOut ??= leftOutSyncs;
      if (FAULTY_SCENARIOS.includes(scenario)) {
        faulty[name] = exploration;
        if (exploration.failures.length === 0) failures.push(`The lab does not notice ${name}.`);
        continue;
      }
      honest[name] = exploration;
      for (const { state, problem } of exploration.failures) {
        failures.push(
          `${name}: ${problem}. Again: npm run crash-lab -- power --only ${name} --place ${place} --state ${state}`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  const total = (of: "states" | "distinct" | "acknowledged"): number =>
    Object.values(honest).reduce((sum, exploration) => sum + exploration[of], 0);
  const figures = {
    states: total("states"),
    distinct: total("distinct"),
    acknowledged: total("acknowledged"),
    failures: failures.length,
    scenarios: countsOf(honest),
    planted: countsOf(faulty),
    leftOutSyncs: leftOut,
  };
  return { summary: summaryOf(figures, setting.seed), figures, failures };
}

/** Judges one state of a recording that was kept, alone. */
export async function replay(place: string, name: string, state: string): Promise<string> {
  const scenario = scenarioOf(name);
  if (scenario === undefined) throw new Error(`There is no scenario ${name}.`);
  const recording = readRecording(place);
  const { failures } = await explore(recording, scenario.judge(recording), {
    seed: 0,
    perMoment: 1,
    only: state,
  });
  const folder = `What the power cut left is in ${recording.folder}, as far as it was not mended at opening.`;
  return `${failures[0]?.problem ?? "Nothing is wrong with it"}. ${folder}`;
}

function chosen(scenarios: readonly Scenario[], { only }: Setting): readonly Scenario[] {
  return only === undefined ? scenarios : scenarios.filter(({ name }) => name === only);
}

// SQLite and the judges take all of a processor's time.
async function exploreElsewhere(name: string, { seed, long }: Setting): Promise<ScenarioResult> {
  const { code, output, errors } = await startScript("explore-scenario.ts", { name, seed, long }).ended;
  if (code !== 0) throw new Error(`${name} could not be explored: ${errors}`);
  return JSON.parse(output) as ScenarioResult;
}

function described({ states, distinct, acknowledged, syncs, failures }: Exploration): string {
  return `${count(states)} states (${count(distinct)} distinct), ${acknowledged} acknowledged changes, ${syncs} syncs: ${failures.length} failures`;
}

function countsOf(explorations: Record<string, Exploration>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(explorations).map(([name, exploration]) => [
      name,
      { ...exploration, failures: exploration.failures.length },
    ]),
  );
}

function summaryOf(
  figures: {
    states: number;
    distinct: number;
    acknowledged: number;
    failures: number;
    planted: Record<string, object>;
    leftOutSyncs: { noticed: number; of: number } | undefined;
  },
  seed: number,
): string {
  const { states, distinct, acknowledged, failures, planted, leftOutSyncs } = figures;
  const noticed = Object.entries(planted).map(([name, one]) => {
    const { failures: lost, states: of } = one as { failures: number; states: number };
    return `${name} loses in ${count(lost)} of ${count(of)}`;
  });
  if (leftOutSyncs !== undefined) {
    noticed.push(`${leftOutSyncs.noticed} of ${leftOutSyncs.of} left-out syncs are noticed`);
  }
  return `power: ${count(states)} states (${count(distinct)} distinct), ${acknowledged} acknowledged changes, ${failures} failures, seed ${seed}; planted: ${noticed.join(", ") || "nothing"}.`;
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
