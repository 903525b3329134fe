import { makeDamagedRegistry, makeRegistry, numberedModels } from "../fixtures.ts";
import type { ExploreOptions, Judge } from "./explore.ts";
import { backupJudge } from "./judge-backup.ts";
import { listJudge } from "./judge-list.ts";
import { registryJudge } from "./judge-registry.ts";
import { modelsDigestOf, repairJudge } from "./judge-repair.ts";
import { record, type Recording } from "./recording.ts";

/** A workload that is recorded once and then cut off everywhere. */
export interface Scenario {
  readonly name: string;
  record(place: string, seed: number, long: boolean): Promise<Recording>;
  judge(recording: Recording): Judge;
  /** How closely it is looked at: in a test, and in the long run. */
  readonly short: Density;
  readonly long: Density;
}

type Density = Pick<ExploreOptions, "perMoment" | "every">;

const judgeRegistry = ({ positions }: Recording): Judge => registryJudge(positions);

/** What is done to registries. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "changes",
    record: (place, seed, long) =>
      record(place, "change-registry.ts", { seed, rounds: long ? 3 : 1, many: 0 }),
    judge: judgeRegistry,
    short: { perMoment: 23 },
    long: { perMoment: 150 },
  },
  {
    name: "migration",
    record: (place, seed) =>
      record(
        place,
        "change-registry.ts",
        { seed, rounds: 1, many: 0 },
        { prepare: (folder) => makeRegistry(folder, numberedModels("old", 40), 3) },
      ),
    judge: judgeRegistry,
    short: { perMoment: 5 },
    long: { perMoment: 80 },
  },
  {
    name: "checkpoint",
    record: (place, seed) => record(place, "change-registry.ts", { seed, rounds: 0, many: 500 }),
    judge: judgeRegistry,
    short: { perMoment: 8, every: 60 },
    long: { perMoment: 12, every: 2 },
  },
  {
    name: "backup",
    record: (place) =>
      record(
        place,
        "back-up.ts",
        { changes: 8 },
        { prepare: (folder) => makeRegistry(folder, numberedModels("there", 10)) },
      ),
    judge: ({ positions }) => backupJudge(positions),
    short: { perMoment: 6, every: 2 },
    long: { perMoment: 60 },
  },
  {
    name: "repair",
    record: (place) =>
      record(
        place,
        "repair.ts",
        {},
        { prepare: (folder) => makeDamagedRegistry(folder, numberedModels("there", 40)) },
      ),
    judge: ({ folder, content }) => {
      // The snapshot in its backup has everything.
      const snapshot = [...content.keys()].find((path) => /snapshots\/.*\.db$/.test(path));
      return repairJudge(modelsDigestOf(content.get(snapshot!)!, folder));
    },
    short: { perMoment: 4, every: 8 },
    long: { perMoment: 12 },
  },
];

/** The same with a fault, to see that the lab can see. */
export const FAULTY_SCENARIOS: readonly Scenario[] = [
  {
    name: "synchronous=NORMAL",
    record: (place, seed) =>
      record(place, "change-registry.ts", { seed, rounds: 1, many: 0 }, { preload: "plant-normal-sync.ts" }),
    judge: judgeRegistry,
    short: { perMoment: 2 },
    long: { perMoment: 25 },
  },
  {
    name: "a text file rewritten in place",
    record: (place) => record(place, "rewrite-list.ts", { changes: 12 }),
    judge: ({ positions }) => listJudge(positions),
    short: { perMoment: 25 },
    long: { perMoment: 150 },
  },
];
