import { spawn, spawnSync, type ChildProcessByStdio } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

import { openRegistry, type Transfer } from "@cortex/model-db";
import { expect, test } from "vitest";

import { followTransfer, requestPull } from "../../src/index.ts";
import { PullPlace } from "./pull-place.ts";

const SIZE = 4_000_000;
const FILE = "huggingface.co/org/repo/m.gguf";

/** A process that pulls, which ends with the scope. */
class Puller implements Disposable {
  readonly process: ChildProcessByStdio<null, Readable, null>;
  /** What it has said. */
  readonly lines: { doneBytes?: number; state?: string; errorCode?: string | null }[] = [];
  readonly #closed: Promise<unknown>;
  #told: () => void = () => undefined;

  constructor(place: PullPlace, transferId: number) {
    const script = fileURLToPath(new URL("../processes/puller.ts", import.meta.url));
    const argument = JSON.stringify({
      location: place.registry.location,
      endpoint: place.server.endpoint,
      transferId,
    });
    const args = ["--conditions=@cortex/source", script, argument];
    this.process = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#closed = once(this.process, "close");
    createInterface({ input: this.process.stdout }).on("line", (line) => {
      this.lines.push(JSON.parse(line) as object);
      this.#told();
    });
  }

  /** Waits until so many bytes are here. */
  async reach(bytes: number): Promise<void> {
    while (!this.lines.some(({ doneBytes = 0 }) => doneBytes >= bytes)) {
      await new Promise<void>((told) => (this.#told = told));
    }
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.#closed;
  }

  /** How it ended. */
  async end(): Promise<string | undefined> {
    await this.#closed;
    return this.lines.at(-1)?.state;
  }

  [Symbol.dispose](): void {
    this.process.kill("SIGKILL");
  }
}

function sha256Of(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

async function expectOneWholeModel(place: PullPlace): Promise<void> {
  expect((await place.registry.models.list()).items).toMatchObject([
    { modelId: "org:repo:m.gguf", availability: "present", sizeBytes: SIZE },
  ]);
  const [transfer] = (await place.registry.transfers.list()).items;
  expect(sha256Of(place.models(FILE))).toBe(transfer!.files[0]!.sha256);
  expect((await place.registry.history.list({ kind: "created" })).items).toHaveLength(1);
}

async function slowPlace(bytesPerSecond = 700_000): Promise<PullPlace> {
  const place = await PullPlace.make();
  place.server.commit("org/repo", { "m.gguf": { sizeBytes: SIZE, seed: 21 } });
  place.server.fault({ kind: "drip", bytesPerSecond }, { times: 10_000 });
  return place;
}

test(
  "a worker that is killed at any byte leaves no model; in the end there is one, whole",
  { timeout: 120_000 },
  async () => {
    await using place = await slowPlace();
    const { transferId } = await place.request("org/repo");
    for (let kills = 0; kills < 5; kills++) {
      using puller = new Puller(place, transferId);
      await puller.reach(1 + Math.floor(Math.random() * SIZE * 0.8));
      await puller.kill();
      expect(await place.registry.models.count()).toBe(0);
      expect(existsSync(place.models(FILE))).toBe(false);
    }
    place.server.clearFaults();
    using last = new Puller(place, transferId);
    expect(await last.end()).toBe("done");
    await expectOneWholeModel(place);
  },
);

test(
  "of several processes one does the work, and another takes it up when that one dies",
  { timeout: 120_000 },
  async () => {
    // The others are to start before it is all here, however busy the machine.
    await using place = await slowPlace(50_000);
    const { transferId } = await place.request("org/repo");
    using first = new Puller(place, transferId);
    await first.reach(1);
    using second = new Puller(place, transferId);
    using third = new Puller(place, transferId);
    await Promise.all([second.reach(1), third.reach(1)]);
    expect((await place.registry.transfers.get(transferId)).pid).toBe(first.process.pid);
    place.server.clearFaults();
    await first.kill();
    expect(await Promise.all([second.end(), third.end()])).toEqual(["done", "done"]);
    await expectOneWholeModel(place);
  },
);

test(
  "a worker that was stopped for a while and lost its claim changes nothing any more",
  { timeout: 120_000 },
  async () => {
    await using place = await slowPlace();
    const { transferId } = await place.request("org/repo");
    using stopped = new Puller(place, transferId);
    await stopped.reach(100_000);
    stopped.process.kill("SIGSTOP");
    place.server.clearFaults();
    const done = await followTransfer(place.registry, transferId, { hub: place.hub });
    expect(done.state).toBe("done");
    stopped.process.kill("SIGCONT");
    expect(await stopped.end()).toBe("done");
    await expectOneWholeModel(place);
  },
);

test("a file that changed on its server meanwhile is not mixed with what was here of it", async () => {
  await using place = await PullPlace.make();
  const url = place.server.putFile("m.gguf", { sizeBytes: SIZE, seed: 1 });
  place.server.fault({ kind: "cut", atByte: 1_000_000 }, { times: 100 });
  const { transferId } = await place.request(url);
  const cut = await followTransfer(place.registry, transferId, { hub: place.hub });
  expect(cut).toMatchObject({ state: "failed", errorCode: "source_unreachable" });
  place.server.clearFaults();
  place.server.putFile("m.gguf", { sizeBytes: SIZE, seed: 2 });
  await place.request(url);
  await followTransfer(place.registry, transferId, { hub: place.hub });
  // Whatever it did, only the new content may be registered.
  const [model] = (await place.registry.models.list()).items;
  const [file] = await place.registry.files.list(model!.modelId);
  const now = await fetch(url);
  const whole = createHash("sha256").update(Buffer.from(await now.arrayBuffer()));
  expect(file!.sha256).toBe(whole.digest("hex"));
});

const isRoot = process.getuid?.() === 0;

test.runIf(isRoot)("on a full disk it fails and says so there, and goes on when there is room", async () => {
  await using place = await PullPlace.make();
  const folder = join(place.folder, "small");
  mkdirSync(folder);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=9m", "transfers", folder]).status === 0;
  if (!mounted) return rmdirSync(folder);
  try {
    place.server.commit("org/repo", { "m.gguf": { sizeBytes: SIZE, seed: 21 } });
    place.server.fault({ kind: "drip", bytesPerSecond: 700_000 }, { times: 10_000 });
    // Beside the models, as it is for most.
    await using registry = await openRegistry(join(folder, "registry.db"));
    const folders = [{ path: join(folder, "models"), isWritable: true }];
    const asked = await requestPull(registry, "org/repo", { hub: place.hub, folders });
    const { transferId } = (asked as { transfer: Transfer }).transfer;
    const filler = join(folder, "filler");
    const full = await followTransfer(registry, transferId, {
      hub: place.hub,
      onProgress({ doneBytes }) {
        if (doneBytes > 0 && !existsSync(filler)) fill(filler);
      },
    });
    expect(full).toMatchObject({ state: "failed", errorCode: "disk_full" });
    expect(await registry.models.count()).toBe(0);
    rmSync(filler);
    place.server.clearFaults();
    await registry.transfers.resume(transferId);
    const done = await followTransfer(registry, transferId, { hub: place.hub });
    expect(done.state).toBe("done");
    expect(sha256Of(join(folder, "models", FILE))).toBe(done.files[0]!.sha256);
  } finally {
    spawnSync("umount", [folder]);
    rmdirSync(folder);
  }
});

/** Takes what room is left on a disk, to the last byte. */
function fill(path: string): void {
  for (const size of [65_536, 4096, 1]) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(size, 1));
    } catch {
      // There is no room for so much.
    }
  }
}
