import { rmSync, statSync } from "node:fs";
import { join } from "node:path";

import { openRegistry } from "@cortex/model-db";

import type { Experiment, Outcome, Setting } from "../experiment.ts";
import { makeRegistry, numberedModels, REGISTRY_FILE } from "../fixtures.ts";
import { createMemoryFolder } from "../memory-folder.ts";
import { startScript } from "../start-script.ts";

/** Many processes write to one registry, and somebody reads it for long. */
export const contention: Experiment = {
  name: "contention",
  about: "eight processes write at once; somebody reads for long",
  run,
};

const WRITERS = 8;
const STARTUP_MS = 4000;
// An autocheckpoint takes 1,000 pages; what a writer adds before the next one gets through is a few more.
const LOG_BYTES = 3 * 1000 * 4096;

interface Turn {
  readonly changes: number;
  readonly longestMs: number;
}

async function run({ seed, long }: Setting): Promise<Outcome> {
  const folder = createMemoryFolder();
  await makeRegistry(folder, numberedModels("turn", 200));
  const turns = await writeInTurn(folder, long ? 30_000 : 5000);
  const { problems, largestLogBytes } = await readForLong(folder, long ? 20_000 : 2000);
  rmSync(folder, { recursive: true });
  const failures = [...turns.problems, ...problems];
  const changes = turns.turns.map((turn) => turn.changes);
  const figures = {
    writers: WRITERS,
    changes: changes.reduce((sum, one) => sum + one, 0),
    slowestToFastest: Math.min(...changes) / Math.max(...changes),
    worstWaitMs: Math.max(...turns.turns.map((turn) => turn.longestMs)),
    busy: turns.problems.length,
    largestLogBytes,
  };
  const summary = `contention: ${WRITERS} processes made ${figures.changes} changes, the slowest ${figures.slowestToFastest.toFixed(2)} of the fastest, worst wait ${figures.worstWaitMs.toFixed(0)} ms, ${figures.busy} refused as busy; beside long readers the log grew to ${(largestLogBytes / 1e6).toFixed(1)} MB: ${failures.length} failures, seed ${seed}.`;
  return { summary, figures, failures };
}

async function writeInTurn(
  folder: string,
  durationMs: number,
): Promise<{ turns: Turn[]; problems: string[] }> {
  const startsAt = Date.now() + STARTUP_MS;
  const writers = Array.from({ length: WRITERS }, (_, index) =>
    startScript("write-in-turn.ts", {
      location: join(folder, REGISTRY_FILE),
      modelId: `turn-${index}`,
      startsAt,
      durationMs,
    }),
  );
  const turns: Turn[] = [];
  const problems: string[] = [];
  for (const { ended } of writers) {
    const { code, output, errors } = await ended;
    if (code === 0) turns.push(JSON.parse(output.split("\n")[1]!) as Turn);
    else problems.push(errors);
  }
  return { turns, problems };
}

/** Changes a registry while others hold a watch, a page of a list and a page of the history open. */
async function readForLong(
  folder: string,
  changes: number,
): Promise<{ problems: string[]; largestLogBytes: number }> {
  const location = join(folder, REGISTRY_FILE);
  await using reader = await openRegistry(location, { mode: "read" });
  await using registry = await openRegistry(location);
  // Each stands in the middle: the first of what it has was read, and the rest is not.
  const watch = reader.watch({ after: 0 });
  await watch.next();
  const list = await reader.models.list({ limit: 1 });
  const history = await reader.history.list({ limit: 1 });
  let largestLogBytes = 0;
  for (let change = 0; change < changes; change++) {
    await registry.models.update("turn-0", { notes: `${change} `.repeat(400) });
    largestLogBytes = Math.max(largestLogBytes, statSync(`${location}-wal`).size);
  }
  const problems: string[] = [];
  if (largestLogBytes > LOG_BYTES) problems.push(`the log grew to ${largestLogBytes} bytes beside readers`);
  const next = await reader.models.list({ limit: 1, cursor: list.nextCursor });
  const older = await reader.history.list({ limit: 1, cursor: history.nextCursor });
  const second = await watch.next();
  if (next.items.length + older.items.length < 2 || second.done === true)
    problems.push("a reader ended early");
  await watch.return(undefined);
  return { problems, largestLogBytes };
}
