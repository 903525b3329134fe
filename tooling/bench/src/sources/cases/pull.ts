import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { atLeast, atMost, type Case } from "../../case.ts";
import { measure, type Contender } from "../../harness.ts";
import { median } from "../../statistics.ts";

const PROCESSES = join(import.meta.dirname, "../../processes");
const FULL_BYTES = 2_000_000_000;
const QUICK_BYTES = 200_000_000;
const CURL = "curl -o";
const CURL_AND_SYNC = "curl -o, then sync";
const OURS = "pull, verified and on the disk";

interface Pulled {
  readonly micros: number;
  readonly peakBytes: number;
}

/** One large file from this machine, against curl, which neither verifies it nor waits for the disk. */
export const pull: Case = {
  name: "pull",
  async run({ effort, fixture: { folder } }) {
    if (spawnSync("curl", ["--version"]).status !== 0) return { skipped: "there is no curl" };
    const sizeBytes = effort.quick ? QUICK_BYTES : FULL_BYTES;
    await using server = await HubProcess.start(sizeBytes);
    const peaks: number[] = [];
    const pullFile = async (repo: string): Promise<Pulled> => {
      const pulled = await pullOnce(server.endpoint, repo, folder);
      rmSync(join(folder, "m.gguf"));
      return pulled;
    };
    const contenders: Contender[] = [
      { name: CURL, isAsync: true, run: () => curl(server.endpoint, folder, false) },
      { name: CURL_AND_SYNC, isAsync: true, run: () => curl(server.endpoint, folder, true) },
      {
        name: OURS,
        isAsync: true,
        async run() {
          const { micros, peakBytes } = await pullFile("bench/large");
          peaks.push(peakBytes);
          return micros;
        },
      },
    ];
    const measurement = await measure(contenders, effort.writes);
    const { peakBytes: smallPeakBytes } = await pullFile("bench/small");
    const size = `${(sizeBytes / 1e9).toFixed(1)} GB`;
    const peak = median(peaks);
    return {
      tables: [{ title: `one file of ${size}`, reference: CURL, measurement }],
      facts: [
        { title: "rate of a pull", value: sizeBytes / measurement.micros(OURS), unit: "MB/s" },
        { title: `largest resident memory, ${size}`, value: peak / 1e6, unit: "MB" },
        { title: "largest resident memory, a tenth of it", value: smallPeakBytes / 1e6, unit: "MB" },
      ],
      goals: [
        atLeast("pull: speed, of curl's", measurement.ratio(CURL, OURS), 0.8),
        atLeast("pull: speed, of curl's with a sync", measurement.ratio(CURL_AND_SYNC, OURS), 0.8),
        atMost("pull: memory, of that for a tenth of the file", peak / smallPeakBytes, 1.25),
      ],
    };
  },
};

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
  const child = spawn(
    process.execPath,
    [...process.execArgv, join(PROCESSES, "pull-file.ts"), endpoint, repo, folder],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
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
