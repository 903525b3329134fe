import { CASES } from "./cases/index.ts";
import { runBenchmark } from "./run-benchmark.ts";

await runBenchmark({
  cases: CASES,
  sizes: [100, 10_000, 1_000_000],
  quickSizes: [100, 10_000],
  effort: {
    reads: { clock: "cpu", rounds: 15, batchMs: 12 },
    writes: { clock: "wall", rounds: 15, batchMs: 20 },
  },
  quickEffort: {
    reads: { clock: "cpu", rounds: 7, batchMs: 4 },
    writes: { clock: "wall", rounds: 5, batchMs: 8 },
  },
});
