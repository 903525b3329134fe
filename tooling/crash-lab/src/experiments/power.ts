import { rmSync } from "node:fs";

import type { Experiment, Outcome, Setting } from "../experiment.ts";
import { createMemoryFolder } from "../memory-folder.ts";
import { createMemory, explore, type Exploration, type Memory } from "../power/explore.ts";
import { canTrace, readRecording, type Recording } from "../power/recording.ts";
import { FAULTY_SCENARIOS, SCENARIOS, type Scenario } from "../power/scenarios.ts";

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
  const failures: string[] = [];
  let leftOut: { noticed: number; of: number } | undefined;
  for (const scenario of chosen(SCENARIOS, setting)) {
    const { exploration, place, recording, memory } = await look(scenario, setting);
    honest[scenario.name] = exploration;
    setting.say(`${scenario.name}: ${described(exploration)}`);
    for (const { state, problem } of exploration.failures) {
      failures.push(
        `${scenario.name}: ${problem}. Again: npm run crash-lab -- power --only ${scenario.name} --place ${place} --state ${state}`,
      );
    }
    // Its recording is what a failing state can be rebuilt from.
    if (exploration.failures.length === 0) {
      if (scenario === SCENARIOS[0]) leftOut = await leaveOutEachSync(scenario, recording, setting, memory);
      rmSync(place, { recursive: true });
    }
  }
  const faulty: Record<string, Exploration> = {};
  for (const scenario of chosen(FAULTY_SCENARIOS, setting)) {
    const { exploration, place } = await look(scenario, setting, Infinity);
    faulty[scenario.name] = exploration;
    setting.say(`${scenario.name}: ${described(exploration)}`);
    rmSync(place, { recursive: true });
    if (exploration.failures.length === 0) failures.push(`The lab does not notice ${scenario.name}.`);
  }
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
  const scenario = [...SCENARIOS, ...FAULTY_SCENARIOS].find((one) => one.name === name);
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

async function look(
  scenario: Scenario,
  { seed, long }: Setting,
  mostFailures = 20,
): Promise<{
  exploration: Exploration;
  place: string;
  recording: Recording;
  memory: Memory;
}> {
  const place = createMemoryFolder();
  const recording = await scenario.record(place, seed, long);
  const memory = createMemory();
  const density = long ? scenario.long : scenario.short;
  const judge = scenario.judge(recording);
  const exploration = await explore(recording, judge, { seed, ...density, mostFailures, memory });
  return { exploration, place, recording, memory };
}

// As if one of the syncs had been forgotten: how many of them would be noticed.
async function leaveOutEachSync(
  scenario: Scenario,
  recording: Recording,
  { seed }: Setting,
  memory: Memory,
): Promise<{ noticed: number; of: number }> {
  const judge = scenario.judge(recording);
  const syncs = recording.calls.filter(({ name }) => name === "fsync" || name === "fdatasync").length;
  let noticed = 0;
  for (let sync = 0; sync < syncs; sync++) {
    const { failures } = await explore(recording, judge, {
      seed,
      perMoment: 5,
      mostFailures: 1,
      leaveOut: sync,
      memory,
    });
    if (failures.length > 0) noticed++;
  }
  return { noticed, of: syncs };
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
