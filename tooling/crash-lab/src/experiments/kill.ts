import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { openRegistry } from "@cortex/model-db";

import type { Experiment, Outcome, Setting } from "../experiment.ts";
import { readAcknowledged, type AcknowledgedChange } from "../kill/acknowledged.ts";
import { checkHistory } from "../kill/check-history.ts";
import { INTERRUPTIONS, type Interruption } from "../kill/interruptions.ts";
import { createMemoryFolder } from "../memory-folder.ts";
import { createRandom, type Random } from "../random.ts";
import { startScript } from "../start-script.ts";

/** Processes are killed while they write to one registry, and in the middle of long work on one. */
export const kill: Experiment = {
  name: "kill",
  about: "processes are killed while they write, migrate, import, back up and repair",
  run,
};

const WRITERS = 4;
// The check of a registry grows with it.
const ROUNDS_PER_REGISTRY = 20;

interface Tally {
  kills: number;
  acknowledged: number;
}

async function run(setting: Setting): Promise<Outcome> {
  const { seed, long, only, say } = setting;
  const failures: string[] = [];
  const figures: Record<string, unknown> = {};
  const folder = createMemoryFolder();
  if (only === undefined || only === "writers") {
    const tally: Tally = { kills: 0, acknowledged: 0 };
    const rounds = long ? 240 : 4;
    for (let first = 0; first < rounds; first += ROUNDS_PER_REGISTRY) {
      const count = Math.min(ROUNDS_PER_REGISTRY, rounds - first);
      failures.push(
        ...(await killWriters(folder, first, count, createRandom(seed, "writers", first), tally)),
      );
      say(`writers: ${tally.kills} kills, ${tally.acknowledged} acknowledged changes`);
    }
    figures["writers"] = tally;
  }
  for (const interruption of INTERRUPTIONS) {
    if (only !== undefined && only !== interruption.name) continue;
    const found = await interrupt(interruption, folder, long ? 40 : 2, createRandom(seed, interruption.name));
    failures.push(...found.problems.map((problem) => `${interruption.name}: ${problem}`));
    figures[interruption.name] = { kills: found.kills, inTime: found.inTime };
    say(`${interruption.name}: ${found.inTime} of ${found.kills} were killed before their end`);
  }
  rmSync(folder, { recursive: true });
  return { summary: summaryOf(figures, failures.length, seed), figures, failures };
}

/** Kills four writers of one registry a number of times and compares it with what they were told. */
async function killWriters(
  folder: string,
  first: number,
  rounds: number,
  random: Random,
  tally: Tally,
): Promise<string[]> {
  const location = join(folder, `writers-${first}.db`);
  const acknowledged: AcknowledgedChange[] = [];
  const problems: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const names = Array.from({ length: WRITERS }, (_, index) => `r${first + round}w${index}`);
    const writers = names.map((name) =>
      startScript("write-until-killed.ts", {
        location,
        name,
        seed: random.below(2 ** 31),
        acknowledged: join(folder, name),
      }),
    );
    await Promise.all(
      writers.map(async (writer, index) => {
        await writer.ready.catch(() => undefined);
        await sleep(100 + random.below(250));
        await writer.kill();
        const { code, errors } = await writer.ended;
        if (code !== null) problems.push(`${names[index]} failed: ${errors}`);
        tally.kills++;
      }),
    );
    for (const name of names) {
      if (!existsSync(join(folder, name))) continue;
      const told = readAcknowledged(join(folder, name));
      acknowledged.push(...told);
      tally.acknowledged += told.length;
      rmSync(join(folder, name));
    }
    await (await openRegistry(location)).close();
  }
  problems.push(...checkHistory(location, acknowledged));
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${location}${suffix}`, { force: true });
  return problems;
}

/** Kills a process in the middle of some work, at a random moment of what the work takes. */
async function interrupt(
  interruption: Interruption,
  place: string,
  rounds: number,
  random: Random,
): Promise<{ kills: number; inTime: number; problems: string[] }> {
  const problems: string[] = [];
  let inTime = 0;
  let takesMs = 0;
  for (let round = -1; round < rounds; round++) {
    const folder = join(place, "interrupted");
    mkdirSync(folder);
    await interruption.prepare(folder);
    const worker = startScript("long-work.ts", { folder, work: interruption.name });
    await worker.ready;
    const begun = performance.now();
    // The first is not killed: it shows how long the work takes.
    if (round >= 0) {
      await Promise.race([sleep(random.below(takesMs)), worker.ended]);
      await worker.kill();
    }
    const { code, output, errors } = await worker.ended;
    if (round < 0) takesMs = Math.max(2, performance.now() - begun);
    else if (code === null) inTime++;
    if (code !== null && code !== 0) problems.push(errors);
    problems.push(...(await interruption.check(folder, output.split("\n"))));
    rmSync(folder, { recursive: true });
  }
  return { kills: rounds, inTime, problems };
}

function summaryOf(figures: Record<string, unknown>, failures: number, seed: number): string {
  const { writers, ...others } = figures as Record<string, Tally & { inTime: number }>;
  const parts = Object.entries(others).map(([name, { kills, inTime }]) => `${name} ${inTime} of ${kills}`);
  if (writers !== undefined) {
    parts.unshift(
      `${writers.kills} kills of ${WRITERS} writers, ${writers.acknowledged} acknowledged changes`,
    );
  }
  return `kill: ${parts.join("; ")}: ${failures} failures, seed ${seed}.`;
}
