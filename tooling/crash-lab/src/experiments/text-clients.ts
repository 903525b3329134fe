import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { openRegistry, type Model } from "@cortex/model-db";
import { OldTextStore } from "@cortex/old-program";

import type { Experiment, Outcome, Setting } from "../experiment.ts";
import { createMemoryFolder } from "../memory-folder.ts";
import { createRandom, type Random } from "../random.ts";
import { startScript, type StartedScript } from "../start-script.ts";
import { judge, keptIn, type Aftermath } from "../text-clients/judge.ts";
import { monotonicMs, readToldChanges, type ToldChange } from "../text-clients/list-change.ts";

/** Old programs rewrite a `model.list` that a bridge keeps in step with a registry; all are killed. */
export const textClients: Experiment = {
  name: "text-clients",
  about: "programs that rewrite model.list, ours, and the bridge between them, all of them killed",
  run,
};

const MIGRATOR = fileURLToPath(new URL("../../../../apps/legacy-migrator/src/main.ts", import.meta.url));
const FIRST_MODELS = 20;

interface Part {
  readonly name: string;
  readonly about: string;
  readonly oldPrograms: number;
  readonly pauseMs: number;
  readonly kills: readonly ("bridge" | "ours" | "old")[];
}

const PARTS: readonly Part[] = [
  // Whatever is missing here the bridge has lost.
  {
    name: "calm",
    about: "one old program, bridge and ours killed",
    oldPrograms: 1,
    pauseMs: 300,
    kills: ["bridge", "ours"],
  },
  {
    name: "busy",
    about: "one old program in a hurry, all killed",
    oldPrograms: 1,
    pauseMs: 40,
    kills: ["bridge", "ours", "old"],
  },
  {
    name: "race",
    about: "three old programs, all killed",
    oldPrograms: 3,
    pauseMs: 150,
    kills: ["bridge", "ours", "old", "old"],
  },
];

async function run({ seed, long, only, say }: Setting): Promise<Outcome> {
  const failures: string[] = [];
  const figures: Record<string, unknown> = {};
  const parts: string[] = [];
  for (const part of PARTS) {
    if (only !== undefined && only !== part.name) continue;
    const found = await work(part, long ? 20_000 : 3500, createRandom(seed, part.name));
    const alone = await loseAlone(part, long ? 10_000 : 2000, createRandom(seed, part.name));
    const { problems, ...rest } = found;
    failures.push(...problems.map((problem) => `${part.name}: ${problem}`));
    figures[part.name] = { ...rest, alone };
    parts.push(
      `${part.about}: ${rest.killed} kills, ours were told of ${rest.ours} changes, old programs of ${rest.theirs}; of their ${rest.kept + rest.ownLosses} models ${rest.kept} are as they were told, ${rest.ownLosses} old programs lost by themselves (with no bridge, killed at the end alone: ${alone})`,
    );
    say(parts.at(-1)!);
  }
  return {
    summary: `text-clients: ${parts.join("; ")}: ${failures.length} failures, seed ${seed}.`,
    figures,
    failures,
  };
}

interface Found {
  readonly killed: number;
  readonly ours: number;
  readonly theirs: number;
  readonly kept: number;
  readonly ownLosses: number;
  readonly problems: string[];
}

async function work(
  { oldPrograms, pauseMs, kills }: Part,
  durationMs: number,
  random: Random,
): Promise<Found> {
  const folder = createMemoryFolder();
  const models = join(folder, "models");
  mkdirSync(models);
  const list = join(models, "model.list");
  const location = join(folder, "registry.db");
  writeFileSync(list, firstLines(models));
  bridgeOnce(list, location);

  const problems: string[] = [];
  const told = { ours: [] as ToldChange[], old: [] as ToldChange[] };
  let [killed, started] = [0, 0];
  const start = (side: "ours" | "old"): Party => {
    const name = `${side}${started++}`;
    const record = join(folder, name);
    const script = side === "ours" ? "change-beside-list.ts" : "be-old-text-program.ts";
    const process = startScript(script, {
      list,
      folder: models,
      location,
      name,
      seed: random.below(2 ** 31),
      record,
      pauseMs: side === "ours" ? 120 : pauseMs,
    });
    return { side, name, record, process };
  };
  const end = async (
    { side, name, record, process }: Party,
    signal: "SIGKILL" | "SIGTERM" = "SIGKILL",
  ): Promise<void> => {
    await process.ready.catch(() => undefined);
    await process.kill(signal);
    const { code, errors } = await process.ended;
    if (code !== null && (code !== 0 || signal === "SIGKILL")) problems.push(`${name} failed: ${errors}`);
    if (existsSync(record)) told[side].push(...readToldChanges(record, name, monotonicMs()));
  };
  const bridged: Aftermath["bridged"][number][] = [];
  let bridge = startBridge(list, location);
  const stopBridge = async (signal: "SIGKILL" | "SIGTERM"): Promise<void> => {
    const to = monotonicMs();
    problems.push(...(await endBridge(bridge, signal)));
    const from = bridge.begunAt();
    if (from !== undefined) bridged.push({ from, to });
  };
  const parties = [start("ours"), ...Array.from({ length: oldPrograms }, () => start("old"))];
  // On a busy machine it may take the bridge as long to begin as it works.
  const workedMs = (): number =>
    [...bridged, { from: bridge.begunAt() ?? Infinity, to: monotonicMs() }].reduce(
      (sum, { from, to }) => sum + Math.max(0, to - from),
      0,
    );
  const until = performance.now() + 10 * durationMs;
  while (workedMs() < durationMs && performance.now() < until) {
    await sleep(400 + random.below(1000));
    const victim = random.pick(kills);
    killed++;
    if (victim === "bridge") {
      await stopBridge("SIGKILL");
      bridge = startBridge(list, location);
      continue;
    }
    const sides = parties.flatMap(({ side }, index) => (side === victim ? [index] : []));
    const index = random.pick(sides);
    await end(parties[index]!);
    parties[index] = start(victim);
  }
  // No old program is cut off in a write here: in a part that kills none, whatever is missing the bridge has lost.
  await Promise.all(parties.map((party) => end(party, party.side === "old" ? "SIGTERM" : "SIGKILL")));
  await stopBridge("SIGTERM");
  bridgeOnce(list, location);
  const aftermath = { ...(await readAftermath(list, location)), bridged };
  const verdict = judge(aftermath, told.ours, told.old);
  problems.push(...verdict.problems);
  if (problems.length === 0) rmSync(folder, { recursive: true });
  else problems.push(`all of it is kept in ${folder}`);
  return {
    killed,
    ours: told.ours.filter(isDone).length,
    theirs: told.old.filter(isDone).length,
    kept: verdict.kept,
    ownLosses: verdict.ownLosses,
    problems,
  };
}

interface Party {
  readonly side: "ours" | "old";
  readonly name: string;
  readonly record: string;
  readonly process: StartedScript;
}

function isDone({ done }: ToldChange): boolean {
  return done === true;
}

function bridgeWords(list: string, location: string): string[] {
  return ["--conditions=@cortex/source", MIGRATOR, "bridge", list, "--to", location, "--json"];
}

interface RunningBridge {
  readonly child: ChildProcess;
  /** Resolves when it has begun, or ended before. */
  readonly begun: Promise<unknown>;
  /** When it said that it has begun, by the monotonic clock; `undefined` where it did not. */
  readonly begunAt: () => number | undefined;
  readonly errors: () => string;
}

function startBridge(list: string, location: string): RunningBridge {
  const child = spawn(process.execPath, bridgeWords(list, location), { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  let begunAt: number | undefined;
  // Nobody reads the rest, which must not fill the pipe.
  child.stdout.on("data", () => (begunAt ??= monotonicMs()));
  const begun = Promise.race([once(child.stdout, "data"), once(child, "exit")]);
  return { child, begun, begunAt: () => begunAt, errors: () => errors };
}

async function endBridge(
  { child, begun, errors }: RunningBridge,
  signal: "SIGKILL" | "SIGTERM",
): Promise<string[]> {
  if (signal === "SIGTERM") await begun;
  if (child.exitCode === null) {
    child.kill(signal);
    await once(child, "exit");
  }
  const isRight = child.exitCode === (signal === "SIGKILL" ? null : 0);
  return isRight ? [] : [`the bridge ended by itself: ${errors()}`];
}

/** What as many old programs lose in the same time where there is no bridge, and they are killed at the end alone. */
async function loseAlone(
  { oldPrograms, pauseMs }: Part,
  durationMs: number,
  random: Random,
): Promise<string> {
  const folder = createMemoryFolder();
  const list = join(folder, "model.list");
  writeFileSync(list, firstLines(folder));
  const names = Array.from({ length: oldPrograms }, (_, index) => `alone${index}`);
  const programs = names.map((name) =>
    startScript("be-old-text-program.ts", {
      list,
      folder,
      name,
      seed: random.below(2 ** 31),
      record: join(folder, name),
      pauseMs,
    }),
  );
  await Promise.all(programs.map(({ ready }) => ready));
  await sleep(durationMs);
  await Promise.all(programs.map((program) => program.kill()));
  const told = names.flatMap((name) => readToldChanges(join(folder, name), name, monotonicMs()));
  const { kept, lost } = keptIn(new OldTextStore(list).load(), told);
  rmSync(folder, { recursive: true });
  return `${lost} of ${kept + lost}`;
}

/** Models that were there before, each with its files. */
function firstLines(folder: string): string {
  return Array.from({ length: FIRST_MODELS }, (_, index) => {
    const [yml, weights] = [join(folder, `first-${index}.yml`), join(folder, `first-${index}.gguf`)];
    writeFileSync(weights, "gguf");
    writeFileSync(yml, `files:\n  - ${weights}\n`);
    return `first-${index} x main ${yml} f${index} READY\n`;
  }).join("");
}

function bridgeOnce(list: string, location: string): void {
  const { status, stderr } = spawnSync(process.execPath, [...bridgeWords(list, location), "--once"], {
    encoding: "utf8",
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(`The bridge failed: ${stderr}`);
}

async function readAftermath(list: string, location: string): Promise<Omit<Aftermath, "bridged">> {
  await using registry = await openRegistry(location, { mode: "read" });
  const models = new Map<string, Model>();
  for await (const model of registry.models.all()) models.set(model.modelId, model);
  const events = await Array.fromAsync(registry.history.all({ order: "asc" }));
  const entries = new OldTextStore(list).load();
  return {
    models,
    events,
    aheadMs: Date.now() - monotonicMs(),
    listed: entries.map(({ id }) => id),
    aliasesListed: new Map(entries.map(({ id, alias }) => [id, alias])),
  };
}
