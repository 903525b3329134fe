import { runBenchmark } from "../../src/run-benchmark.ts";

const effort = {
  reads: { clock: "cpu", rounds: 1, batchMs: 0 },
  writes: { clock: "wall", rounds: 1, batchMs: 0 },
} as const;

const facts = async () => ({ facts: [{ title: "process", value: process.pid, unit: "" }] });

await runBenchmark({
  cases: [
    { name: "first", run: facts },
    { name: "ends", run: () => process.exit(7) },
    { name: "second", run: facts },
  ],
  sizes: [10],
  quickSizes: [10],
  effort,
  quickEffort: effort,
});
