import { fork } from "node:child_process";

import type { Setting } from "./case.ts";
import type { FixturePlace } from "./fixture.ts";
import { printResult, toData, type ResultData } from "./report.ts";

/** One case at one size. */
export interface Task {
  readonly name: string;
  readonly place: FixturePlace;
  readonly effort: Setting["effort"];
}

/**
 * Runs this program once more, for one case: what a case leaves in the memory of its process would weigh on
 * those after it. It prints what it finds itself.
 */
export function runApart(task: Task): Promise<ResultData> {
  const start = performance.now();
  // A number that is none comes through as such.
  const child = fork(process.argv[1]!, ["--task", JSON.stringify(task)], { serialization: "advanced" });
  let result: ResultData | undefined;
  child.once("message", (message) => {
    result = message as ResultData;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve(result ?? broken(task, `its process ended by ${signal ?? `exit code ${code}`}`, start));
    });
  });
}

function broken({ name, place }: Task, failure: string, start: number): ResultData {
  const result = { name, size: place.size, seconds: (performance.now() - start) / 1000, failure };
  printResult(result);
  return toData(result);
}
