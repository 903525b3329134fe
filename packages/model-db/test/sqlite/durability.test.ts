import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect } from "vitest";

import { openRegistry } from "../../src/index.ts";
import { startProcess } from "../processes/start.ts";
import { test } from "./folder.ts";

// Counting the calls that wait for the disk needs strace, and the right to trace a process.
const canTrace = spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0;

async function syncsOf(folder: string, name: string, rounds: number, atOnce: number): Promise<number> {
  const trace = join(folder, `${name}.trace`);
  const through = ["strace", "-f", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-o", trace];
  const argument = { location: join(folder, `${name}.db`), rounds, atOnce };
  const { code, errors } = await startProcess("commits.ts", argument, { through }).ended;
  expect(code, errors).toBe(0);
  return readFileSync(trace, "utf8")
    .split("\n")
    .filter((line) => /(fsync|fdatasync)\(.*= 0/.test(line)).length;
}

describe("a commit", () => {
  test.skipIf(!canTrace)(
    "waits for the disk: 50 make at least 50 syncs (needs strace)",
    async ({ folder }) => {
      const [none, fifty] = await Promise.all([
        syncsOf(folder, "none", 0, 1),
        syncsOf(folder, "fifty", 50, 1),
      ]);
      expect(fifty - none).toBeGreaterThanOrEqual(50);
    },
  );

  test.skipIf(!canTrace)(
    "is shared by changes made at the same time: 160, 16 at once, make few syncs (needs strace)",
    async ({ folder }) => {
      const [none, shared] = await Promise.all([
        syncsOf(folder, "none", 0, 1),
        syncsOf(folder, "shared", 10, 16),
      ]);
      expect(shared - none).toBeGreaterThanOrEqual(10);
      expect(shared - none).toBeLessThanOrEqual(40);
    },
  );

  test("that was confirmed is there after its process was killed, and no other is there in part", async ({
    folder,
  }) => {
    const kill = async (round: number): Promise<void> => {
      const location = join(folder, `${round}.db`);
      const child = startProcess("commits.ts", { location, rounds: 100_000, atOnce: 4 });
      await child.next("begin");
      await sleep(round * 23);
      child.kill("SIGKILL");
      expect(await child.ended).toMatchObject({ signal: "SIGKILL" });
      let confirmed = -1;
      for (;;) {
        const next = await child.next<number>("committed").catch(() => undefined);
        if (next === undefined) break;
        confirmed = next;
      }
      await using registry = await openRegistry(location);
      const count = await registry.models.count();
      expect(count).toBeGreaterThanOrEqual((confirmed + 1) * 4);
      expect(await registry.history.latestEventId()).toBe(count);
      expect(await registry.models.names({ prefix: `${confirmed}.` })).toHaveLength(confirmed < 0 ? 0 : 4);
      for (const { modelId } of (await registry.models.list({ limit: 100 })).items) {
        expect(await registry.models.count({ search: modelId })).toBeGreaterThanOrEqual(1);
        expect((await registry.models.resolve(modelId)).rowVersion).toBe(1);
      }
    };
    await Promise.all([kill(1), kill(4)]);
    await Promise.all([kill(8), kill(15)]);
  }, 20_000);
});
