import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { median, quantile } from "./statistics.ts";

/** One way to do the work of a case. */
export interface Contender {
  readonly name: string;
  /** Does the work once. `index` grows from 0, so that each run can take another model. */
  readonly run: (index: number) => unknown;
  /** `run` returns a promise that is to be awaited. */
  readonly isAsync?: boolean;
}

export interface MeasureOptions {
  /**
   * `cpu`: the processor time of a batch of runs, for reads: other programs do not disturb it.
   * `wall`: each run by the clock, and the lower quartile of the batch, for what waits for the disk: whoever
   * else uses that can only make it longer.
   * `own`: one run, which returns its own microseconds, without what prepares it.
   */
  clock: "cpu" | "wall" | "own";
  /** How often each contender has its turn; 0 with the clock `own`: once, without warming up. */
  rounds: number;
  /** How long a batch takes: as many runs as fit are made of each contender. */
  batchMs: number;
  /** How many of the rounds a contender takes part in whose single run is long. @default 3 */
  slowRounds?: number;
}

// A contender whose single run is longer takes part in the first rounds only.
const SLOW_MS = 100;
const SLOW_ROUNDS = 3;
const VERY_SLOW_MS = 500;
const WARM_UP_BATCHES = 4;
const MIN_WALL_RUNS = 15;

/** What was measured: microseconds for one run, by contender and round. */
export class Measurement {
  readonly #rounds: ReadonlyMap<string, readonly number[]>;

  constructor(rounds: ReadonlyMap<string, readonly number[]>) {
    this.#rounds = rounds;
  }

  get names(): string[] {
    return [...this.#rounds.keys()];
  }

  /** Microseconds for one run, the median of the rounds. */
  micros(name: string): number {
    return median(this.#of(name));
  }

  /** How many times as long `name` takes as `other`: the median of the ratios within each round. */
  ratio(name: string, other: string): number {
    const [own, others] = [this.#of(name), this.#of(other)];
    const ratios: number[] = [];
    for (let round = 0; round < Math.min(own.length, others.length); round++) {
      ratios.push(own[round]! / others[round]!);
    }
    return median(ratios);
  }

  #of(name: string): readonly number[] {
    const rounds = this.#rounds.get(name);
    if (rounds === undefined) throw new Error(`No contender ${name}; there are ${this.names.join(", ")}.`);
    return rounds;
  }
}

interface Lane {
  readonly contender: Contender;
  readonly micros: number[];
  runs: number;
  rounds: number;
  isSlow: boolean;
  next: number;
}

/**
 * Measures contenders against each other: in each round every one of them runs a batch, in an order
 * drawn anew, so that whatever else the machine does falls on all of them.
 */
export async function measure(
  contenders: readonly Contender[],
  options: MeasureOptions,
): Promise<Measurement> {
  const lanes: Lane[] = [];
  for (const contender of contenders) lanes.push(await prepareLane(contender, options));
  // Slow ones last: what they leave in memory would weigh on the others.
  for (const group of [lanes.filter(({ isSlow }) => !isSlow), lanes.filter(({ isSlow }) => isSlow)]) {
    collectGarbage();
    for (let round = 0; round < (group[0]?.rounds ?? 0); round++) {
      for (const lane of shuffled(group)) lane.micros.push(await runBatch(lane, options.clock));
    }
  }
  return new Measurement(new Map(lanes.map(({ contender, micros }) => [contender.name, micros])));
}

// Warms a contender up and finds out how many of its runs fill a batch.
async function prepareLane(contender: Contender, options: MeasureOptions): Promise<Lane> {
  const lane: Lane = { contender, micros: [], runs: 1, rounds: options.rounds, isSlow: false, next: 0 };
  const slowRounds = Math.min(options.rounds, options.slowRounds ?? SLOW_ROUNDS);
  if (options.clock === "own") {
    const micros = (await contender.run(lane.next++)) as number;
    // Too dear to be done again: the first run is the measurement.
    if (options.rounds === 0) lane.micros.push(micros);
    if (micros < VERY_SLOW_MS * 1000) return lane;
    return { ...lane, isSlow: true, rounds: slowRounds };
  }
  // The first run loads modules and compiles statements, and any may meet a checkpoint.
  let fastestMs = Infinity;
  for (let attempt = 0; attempt < 3; attempt++) {
    const start = performance.now();
    await contender.run(lane.next++);
    fastestMs = Math.min(fastestMs, performance.now() - start);
    if (fastestMs < SLOW_MS || fastestMs > VERY_SLOW_MS) break;
  }
  if (fastestMs > SLOW_MS) return { ...lane, isSlow: true, rounds: slowRounds };
  const deadline = performance.now() + options.batchMs * WARM_UP_BATCHES;
  fastestMs = Infinity;
  for (let batch = 0; batch < WARM_UP_BATCHES || performance.now() < deadline; batch++) {
    const start = performance.now();
    await runBatch(lane, options.clock);
    fastestMs = Math.min(fastestMs, (performance.now() - start) / lane.runs);
    // Ten times as many at most: the first runs say little about those to come.
    lane.runs = Math.max(1, Math.ceil(Math.min(lane.runs * 10, options.batchMs / fastestMs)));
  }
  // The quartile of few commits says little.
  if (options.clock === "wall" && options.batchMs >= MIN_WALL_RUNS)
    lane.runs = Math.max(lane.runs, MIN_WALL_RUNS);
  return lane;
}

async function runBatch(lane: Lane, clock: MeasureOptions["clock"]): Promise<number> {
  if (clock === "own") return (await lane.contender.run(lane.next++)) as number;
  return clock === "cpu" ? cpuBatch(lane) : wallBatch(lane);
}

async function cpuBatch(lane: Lane): Promise<number> {
  const { run, isAsync } = lane.contender;
  const end = lane.next + lane.runs;
  const start = process.cpuUsage();
  if (isAsync === true) for (let index = lane.next; index < end; index++) await run(index);
  else for (let index = lane.next; index < end; index++) run(index);
  const { user, system } = process.cpuUsage(start);
  lane.next = end;
  return (user + system) / lane.runs;
}

async function wallBatch(lane: Lane): Promise<number> {
  const { run, isAsync } = lane.contender;
  const times: number[] = [];
  // The first run after others had their turn pays for their traces, and is not counted.
  await run(lane.next++);
  for (let count = 0; count < lane.runs; count++) {
    const start = process.hrtime.bigint();
    if (isAsync === true) await run(lane.next++);
    else run(lane.next++);
    times.push(Number(process.hrtime.bigint() - start) / 1000);
  }
  return quantile(times, 0.25);
}

// https://nodejs.org/api/v8.html#v8setflagsfromstringflags
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function shuffled<T>(items: readonly T[]): T[] {
  const order = [...items];
  for (let index = order.length - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1));
    [order[index], order[other]] = [order[other]!, order[index]!];
  }
  return order;
}
