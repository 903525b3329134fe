import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { atLeast, atMost, type Case, type Goal } from "../../case.ts";
import { measure, type Contender, type Measurement } from "../../harness.ts";
import { median } from "../../statistics.ts";

const PROCESSES = join(import.meta.dirname, "../../processes");
const FULL_BYTES = 2_000_000_000;
const QUICK_BYTES = 200_000_000;
// How fast memory takes what nobody wrote there before differs threefold from one run to the next.
const ROUNDS = 9;
const CURL = "curl -o";
const CURL_AND_SYNC = "curl -o, then sync";
const OURS = "pull, verified and synced";

interface Pulled {
  readonly micros: number;
  readonly peakBytes: number;
}

/**
 * One large file from this machine, against curl, which neither verifies it nor waits for the disk: in memory,
 * where no disk is in the way of either, and on the disk, where curl is given a sync as well.
 */
export const pull: Case = {
  name: "pull",
  async run({ effort, fixture: { folder } }) {
    if (spawnSync("curl", ["--version"]).status !== 0) return { skipped: "there is no curl" };
    const sizeBytes = effort.quick ? QUICK_BYTES : FULL_BYTES;
    await using server = await HubProcess.start(sizeBytes);
    const peaks: number[] = [];
    const ours = (into: string): Contender => ({
      name: OURS,
      isAsync: true,
      async run() {
        const { micros, peakBytes } = await pullOnce(server.endpoint, "bench/large", into);
        peaks.push(peakBytes);
        return micros;
      },
    });
    const curlInto = (into: string, isSynced: boolean): Contender => ({
      name: isSynced ? CURL_AND_SYNC : CURL,
      isAsync: true,
      run: () => curl(server.endpoint, into, isSynced),
    });
    const options = {
      ...effort.writes,
      rounds: effort.quick ? effort.writes.rounds : ROUNDS,
      slowRounds: ROUNDS,
    };
    const onDisk = await measure([curlInto(folder, false), curlInto(folder, true), ours(folder)], options);
    const memory = memoryFolder(sizeBytes);
    const inMemory =
      memory === undefined
        ? undefined
        : await measure([curlInto(memory, false), ours(memory)], options).finally(() =>
            rmSync(memory, { recursive: true }),
          );
    const { peakBytes: smallPeakBytes } = await pullOnce(server.endpoint, "bench/small", folder);
    const size = `${(sizeBytes / 1e9).toFixed(1)} GB`;
    const peak = median(peaks);
    return {
      tables: [
        { title: `one file of ${size} to the disk`, reference: CURL, measurement: onDisk },
        ...(inMemory === undefined
          ? []
          : [{ title: `one file of ${size} to memory`, reference: CURL, measurement: inMemory }]),
      ],
      facts: [
        { title: "pull to the disk, speed of curl's", value: onDisk.ratio(CURL, OURS), unit: "times" },
        { title: `largest resident memory, ${size}`, value: peak / 1e6, unit: "MB" },
        { title: "largest resident memory, a tenth of it", value: smallPeakBytes / 1e6, unit: "MB" },
      ],
      goals: [
        // Of a small file most of the time is spent on starting, looking up and ending.
        ...(effort.quick ? [] : speedGoals(onDisk, inMemory)),
        atMost("pull: memory, of that for a tenth of the file", peak / smallPeakBytes, 1.25),
      ],
    };
  },
};

function speedGoals(onDisk: Measurement, inMemory: Measurement | undefined): Goal[] {
  const goal = atLeast(
    "pull to the disk: speed, of curl's and a sync",
    onDisk.ratio(CURL_AND_SYNC, OURS),
    0.8,
  );
  if (inMemory === undefined) return [goal];
  return [atLeast("pull to memory: speed, of curl's", inMemory.ratio(CURL, OURS), 0.8), goal];
}

/** A folder in memory with room for the file; `undefined` where there is none. */
function memoryFolder(sizeBytes: number): string | undefined {
  const parent = "/dev/shm";
  if (!existsSync(parent)) return undefined;
  const { bavail, bsize } = statfsSync(parent);
  return bavail * bsize < 2 * sizeBytes ? undefined : mkdtempSync(join(parent, "cortex-bench-"));
}

/** A hub in a process of its own, so that it takes no time of whoever pulls. */
class HubProcess implements AsyncDisposable {
  readonly endpoint: string;
  readonly #child: ReturnType<typeof spawn>;

  private constructor(child: ReturnType<typeof spawn>, endpoint: string) {
    this.#child = child;
    this.endpoint = endpoint;
  }

  static async start(sizeBytes: number): Promise<HubProcess> {
    const child = spawn(
      process.execPath,
      [...process.execArgv, join(PROCESSES, "serve-hub.ts"), String(sizeBytes)],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [endpoint] = (await once(createInterface(child.stdout), "line")) as [string];
    return new HubProcess(child, endpoint);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}

async function pullOnce(endpoint: string, repo: string, folder: string): Promise<Pulled> {
  const child = spawn(process.execPath, [join(PROCESSES, "pull-file.mjs"), endpoint, repo, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  rmSync(join(folder, "m.gguf"));
  return JSON.parse(line) as Pulled;
}

/** @returns microseconds. */
async function curl(endpoint: string, folder: string, isSynced: boolean): Promise<number> {
  const path = join(folder, "curl.gguf");
  const url = `${endpoint}/bench/large/resolve/main/m.gguf`;
  const start = performance.now();
  await succeed("curl", ["--silent", "--fail", "--location", "-o", path, url]);
  if (isSynced) await succeed("sync", [path]);
  const micros = (performance.now() - start) * 1000;
  rmSync(path);
  return micros;
}

async function succeed(command: string, args: readonly string[]): Promise<void> {
  const [code] = (await once(spawn(command, args, { stdio: "inherit" }), "exit")) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${code}.`);
}
