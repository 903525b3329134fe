import type { MeasureOptions } from "./harness.ts";
import { runBenchmark } from "./run-benchmark.ts";
import { SOURCE_CASES } from "./sources/cases/index.ts";

// Each is one scan or one pull: there is nothing to repeat in a batch.
const FULL: MeasureOptions = { clock: "own", rounds: 5, batchMs: 0 };
const QUICK: MeasureOptions = { clock: "own", rounds: 3, batchMs: 0 };

await runBenchmark({
  cases: SOURCE_CASES,
  sizes: [10_000],
  quickSizes: [10_000],
  effort: { reads: FULL, writes: FULL },
  quickEffort: { reads: QUICK, writes: QUICK },
});
