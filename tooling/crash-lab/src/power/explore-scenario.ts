import { rmSync } from "node:fs";

import { createMemoryFolder } from "../memory-folder.ts";
import { createMemory, explore, type Exploration, type Memory } from "./explore.ts";
import type { Recording } from "./recording.ts";
import { FAULTY_SCENARIOS, SCENARIOS, type Scenario } from "./scenarios.ts";

/** What came of a scenario. */
export interface ScenarioResult {
  readonly exploration: Exploration;
  /** Where its recording is kept, from which a failing state can be rebuilt; nowhere without a failure. */
  readonly place: string;
  /** How many of its syncs would be missed; only of the first scenario. */
  readonly leftOutSyncs: { readonly noticed: number; readonly of: number } | undefined;
}

/** Records a scenario and cuts the power everywhere in it. @param name of a scenario that there is. */
export async function exploreScenario(
  name: string,
  { seed, long }: { seed: number; long: boolean },
): Promise<ScenarioResult> {
  const scenario = scenarioOf(name)!;
  const isFaulty = FAULTY_SCENARIOS.includes(scenario);
  const place = createMemoryFolder();
  const recording = await scenario.record(place, seed, long);
  const memory = createMemory();
  const density = long ? scenario.long : scenario.short;
  const mostFailures = isFaulty ? Infinity : 20;
  const judge = scenario.judge(recording);
  const exploration = await explore(recording, judge, { seed, ...density, mostFailures, memory });
  const isSound = exploration.failures.length === 0;
  const leftOutSyncs =
    isSound && scenario === SCENARIOS[0]
      ? await leaveOutEachSync(scenario, recording, seed, memory)
      : undefined;
  if (isSound || isFaulty) rmSync(place, { recursive: true });
  return { exploration, place, leftOutSyncs };
}

/** The scenario of a name, faulty ones too. */
export function scenarioOf(name: string): Scenario | undefined {
  return [...SCENARIOS, ...FAULTY_SCENARIOS].find((scenario) => scenario.name === name);
}

// As if one of the syncs had been forgotten: how many of them would be noticed.
async function leaveOutEachSync(
  scenario: Scenario,
  recording: Recording,
  seed: number,
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
