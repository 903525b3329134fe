import type { MeasureOptions } from "./harness.ts";
import { HTTP_CASES } from "./http/cases/index.ts";
import { memory } from "./http/cases/memory.ts";
import { pinLoad } from "./http/processor-pinning.ts";
import { runBenchmark } from "./run-benchmark.ts";

// Two processors may be one core's, to which others come and go as well: the same requests take up to twice the
// time from one tenth of a second to the next. Many short batches meet both in each contender's share.
const READS: MeasureOptions = { clock: "own", rounds: 36, batchMs: 100 };
const QUICK_READS: MeasureOptions = { clock: "own", rounds: 8, batchMs: 60 };
const WRITES: MeasureOptions = { clock: "own", rounds: 9, batchMs: 400 };
const QUICK_WRITES: MeasureOptions = { clock: "own", rounds: 3, batchMs: 150 };

await runBenchmark({
  beforeCase: pinLoad,
  cases: HTTP_CASES,
  // A million requests, and what they leave in memory.
  longCases: [memory],
  sizes: [10_000],
  quickSizes: [10_000],
  effort: { reads: READS, writes: WRITES },
  quickEffort: { reads: QUICK_READS, writes: QUICK_WRITES },
});
