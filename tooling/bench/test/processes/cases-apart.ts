import { runBenchmark } from "../../src/run-benchmark.ts";

const effort = {
  reads: { clock: "cpu", rounds: 1, batchMs: 0 },
  writes: { clock: "wall", rounds: 1, batchMs: 0 },
} as const;

let preparedBy: number | undefined;

const facts = async () => ({
  facts: [
    { title: "process", value: process.pid, unit: "" },
    { title: "prepared by", value: preparedBy ?? 0, unit: "" },
  ],
});

await runBenchmark({
  beforeCase: () => (preparedBy = process.pid),
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
