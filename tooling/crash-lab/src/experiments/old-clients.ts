import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { openRegistry } from "@cortex/model-db";
import { findShell } from "@cortex/old-program";
import Database from "better-sqlite3";

import type { Experiment, Outcome, Setting } from "../experiment.ts";
import { numberedModels } from "../fixtures.ts";
import { readAcknowledged, type AcknowledgedChange } from "../kill/acknowledged.ts";
import { checkHistory } from "../kill/check-history.ts";
import { createMemoryFolder } from "../memory-folder.ts";
import { checkTold } from "../old-clients/check-told.ts";
import { readTold, type Told } from "../old-clients/told.ts";
import { createRandom, type Random } from "../random.ts";
import { startScript } from "../start-script.ts";

/** Old programs and ours work on one file, and are killed. */
export const oldClients: Experiment = {
  name: "old-clients",
  about: "programs that open cortex.db write beside ours, and both are killed",
  run,
};

const OURS = 2;
const OLD = ["library", "library", "shell"] as const;

async function run({ seed, long, only, say }: Setting): Promise<Outcome> {
  const folder = createMemoryFolder();
  const failures: string[] = [];
  const figures: Record<string, unknown> = {};
  const parts: string[] = [];
  if (only === undefined || only === "kills") {
    const kills = await killBoth(folder, long ? 24 : 3, createRandom(seed, "old-clients"), say);
    failures.push(...kills.problems);
    figures["kills"] = kills.figures;
    const { done, failed, unknown, overwritten, overtaken, ours, killed } = kills.figures;
    const refused = Object.entries(failed).map(([why, count]) => `${count} "${why}"`);
    parts.push(
      `${killed} kills of both sides: ours were told of ${ours} changes, old programs of ${done}, none lost; by themselves old programs lost ${refused.join(", ") || "nothing"} that they were told failed, and undid ${overwritten} of each other's; ${overtaken} found a model that ours had just deleted; ${unknown} were cut off before they were told`,
    );
  }
  for (const beside of BESIDE) {
    if (only !== undefined && only !== beside.name) continue;
    const found = await workBeside(folder, beside, long ? 5000 : 1000);
    failures.push(...found.problems);
    figures[beside.name] = found.figures;
    parts.push(`${beside.about}: ${found.figures.failed} of ${found.figures.tried} old writes refused`);
    say(parts.at(-1)!);
  }
  if (failures.length === 0) rmSync(folder, { recursive: true });
  else say(`The files are kept in ${folder}.`);
  return {
    summary: `old-clients: ${parts.join("; ")}: ${failures.length} failures, seed ${seed}.`,
    figures,
    failures,
  };
}

interface KillFigures {
  killed: number;
  ours: number;
  done: number;
  failed: Record<string, number>;
  unknown: number;
  overwritten: number;
  overtaken: number;
}

async function killBoth(
  folder: string,
  rounds: number,
  random: Random,
  say: Setting["say"],
): Promise<{ figures: KillFigures; problems: string[] }> {
  const location = join(folder, "cortex.db");
  const acknowledged: AcknowledgedChange[] = [];
  const told: Told[] = [];
  const problems: string[] = [];
  const through = OLD.filter((way) => way === "library" || findShell() !== undefined);
  let killed = 0;
  let before = await settle(location);
  for (let round = 0; round < rounds; round++) {
    const scripts = [
      ...Array.from({ length: OURS }, (_, index) => ({
        script: "write-until-killed.ts",
        name: `r${round}w${index}`,
      })),
      ...through.map((way, index) => ({ script: "be-old-program.ts", name: `r${round}o${index}`, way })),
    ].map((one) => ({ ...one, record: join(folder, one.name) }));
    const started = scripts.map(({ script, name, record, ...rest }) => ({
      name,
      process: startScript(script, {
        location,
        name,
        seed: random.below(2 ** 31),
        acknowledged: record,
        record,
        through: "way" in rest ? rest.way : undefined,
        durationMs: 60_000,
        pauseMs: 10,
      }),
    }));
    await Promise.all(
      started.map(async ({ name, process }) => {
        await process.ready.catch(() => undefined);
        await sleep(800 + random.below(1200));
        await process.kill();
        const { code, errors } = await process.ended;
        if (code !== null) problems.push(`${name} failed: ${errors}`);
        killed++;
      }),
    );
    for (const { script, record } of scripts) {
      if (!existsSync(record)) continue;
      if (script === "be-old-program.ts") told.push(...readTold(record));
      else acknowledged.push(...readAcknowledged(record));
      rmSync(record);
    }
    // Whoever opens it next finds all of it, and catches up with the old programs.
    const now = await settle(location);
    if (now.registryId !== before.registryId || now.newestEvent < before.newestEvent) {
      problems.push(`round ${round}: ${JSON.stringify(before)} became ${JSON.stringify(now)}`);
      break;
    }
    before = now;
    say(`round ${round + 1}: ${acknowledged.length} changes of ours, ${told.length} tried by old programs`);
  }
  problems.push(...checkHistory(location, acknowledged));
  const { changes, problems: lost } = checkTold(location, told);
  problems.push(...lost);
  if (changes.done === 0) problems.push("no old program got anything done");
  return { figures: { killed, ours: acknowledged.length, ...changes }, problems };
}

async function settle(location: string): Promise<{ registryId: string; newestEvent: number }> {
  await using registry = await openRegistry(location);
  await registry.transaction(async () => undefined);
  return { registryId: registry.registryId, newestEvent: await registry.history.latestEventId() };
}

/** What of ours goes on while an old program writes. */
interface Beside {
  readonly name: string;
  readonly about: string;
  /** Whether it may refuse an old write. */
  readonly mayRefuse: boolean;
  readonly work: (location: string, until: () => boolean) => Promise<void>;
}

const BESIDE: readonly Beside[] = [
  {
    name: "readers",
    about: "beside readers of ours",
    mayRefuse: false,
    async work(location, until) {
      await using registry = await openRegistry(location, { mode: "read" });
      const standing = new Database(location, { readonly: true });
      standing.exec("BEGIN");
      standing.prepare("SELECT count(*) FROM model").get();
      const ending = new AbortController();
      const watch = registry.watch({ after: 0, signal: ending.signal });
      let next = watch.next();
      while (!until()) {
        // The old program may end without another change.
        if ((await Promise.race([next, sleep(100)])) !== undefined) next = watch.next();
        await registry.models.list({ search: "turn", limit: 100 });
      }
      ending.abort();
      await next;
      standing.close();
    },
  },
  {
    name: "checkpoints",
    about: "beside our checkpoints",
    mayRefuse: false,
    async work(location, until) {
      const connection = new Database(location);
      while (!until()) {
        connection.pragma("wal_checkpoint(PASSIVE)");
        await sleep(1);
      }
      connection.close();
    },
  },
  {
    name: "short-writes",
    about: "beside a change of ours every 10 ms",
    mayRefuse: true,
    async work(location, until) {
      await using registry = await openRegistry(location);
      for (let index = 0; !until(); index++) {
        await registry.models.update("turn-0", { notes: `note ${index}` });
        await sleep(10);
      }
    },
  },
  {
    name: "long-writes",
    about: "beside transactions of ours of 2,000 models",
    mayRefuse: true,
    async work(location, until) {
      await using registry = await openRegistry(location);
      for (let index = 0; !until(); index++) {
        await registry.models.createMany(numberedModels(`many-${index}`, 2000));
        await sleep(50);
      }
    },
  },
];

async function workBeside(
  folder: string,
  { name, mayRefuse, work }: Beside,
  durationMs: number,
): Promise<{ figures: { tried: number; failed: number }; problems: string[] }> {
  const location = join(folder, `${name}.db`);
  {
    await using registry = await openRegistry(location);
    await registry.models.createMany(numberedModels("turn", 50));
  }
  const record = join(folder, `${name}.told`);
  const old = startScript("be-old-program.ts", {
    location,
    name: "o",
    seed: 1,
    record,
    through: "library",
    durationMs,
    pauseMs: 2,
  });
  await old.ready;
  let ended = false;
  void old.ended.then(() => (ended = true));
  await work(location, () => ended);
  const { code, errors } = await old.ended;
  await settle(location);
  const told = readTold(record);
  const { changes, problems } = checkTold(location, told);
  const failed = Object.values(changes.failed).reduce((sum, count) => sum + count, 0);
  if (code !== 0) problems.push(`${name}: the old program ended with ${code}: ${errors}`);
  if (!mayRefuse && failed > 0) problems.push(`${name}: ${failed} old writes were refused`);
  return { figures: { tried: told.length, failed }, problems };
}
