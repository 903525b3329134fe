import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { llamaFile } from "@cortex/test-models";
import { expect, test } from "vitest";

import { RegistryFolder } from "../registry-folder.ts";

const MOVER = fileURLToPath(new URL("../processes/mover.ts", import.meta.url));
const ROUNDS = 7;

/** Starts a move and kills it some time after it has begun. @returns whether it was done before. */
async function killedMove(location: string, path: string, afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, ["--conditions=@cortex/source", MOVER, location, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let isDone = false;
  for await (const line of createInterface(child.stdout)) {
    if (line === "begins") setTimeout(() => child.kill("SIGKILL"), afterMs);
    else isDone = line === "imported";
  }
  await exited;
  return isDone;
}

// Into another file system, a move is a copy.
const PLACES = [tmpdir(), "/dev/shm"].filter(
  (place, index) => index === 0 || (existsSync(place) && statSync(place).dev !== statSync(tmpdir()).dev),
);

test.each(PLACES)(
  "a move from %s that is killed at any moment leaves the model where it was, or registered",
  { timeout: 240_000 },
  async (place) => {
    const content = Buffer.concat([llamaFile(), Buffer.alloc(24_000_000, 7)]);
    const outcomes = new Set<string>();
    for (let round = 0; round < ROUNDS; round++) {
      await using folder = await RegistryFolder.create();
      const from = mkdtempSync(join(place, "killed-move-"));
      try {
        const original = join(from, "tiny.gguf");
        writeFileSync(original, content);
        // The first round is left alone: it says how long a move takes.
        const isDone = await killedMove(
          folder.registry.location,
          original,
          round === 0 ? 60_000 : round * 12,
        );
        const [model] = (await folder.registry.models.list()).items;
        const [file] = model === undefined ? [] : await folder.registry.files.list(model.modelId);
        outcomes.add(file === undefined ? "not registered" : "registered");
        expect(readFileSync(file?.path ?? original).equals(content)).toBe(true);
        expect(isDone && existsSync(original)).toBe(false);
      } finally {
        rmSync(from, { recursive: true });
      }
    }
    expect(outcomes.has("registered")).toBe(true);
  },
);
