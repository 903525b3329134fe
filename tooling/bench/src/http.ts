import type { MeasureOptions } from "./harness.ts";
import { HTTP_CASES } from "./http/cases/index.ts";
import { memory } from "./http/cases/memory.ts";
import { pinLoad } from "./http/processor-pinning.ts";
import { runBenchmark } from "./run-benchmark.ts";

const FULL: MeasureOptions = { clock: "own", rounds: 9, batchMs: 400 };
const QUICK: MeasureOptions = { clock: "own", rounds: 3, batchMs: 150 };

pinLoad();
await runBenchmark({
  cases: HTTP_CASES,
  // A million requests, and what they leave in memory.
  longCases: [memory],
  sizes: [10_000],
  quickSizes: [10_000],
  effort: { reads: FULL, writes: FULL },
  quickEffort: { reads: QUICK, writes: QUICK },
});
