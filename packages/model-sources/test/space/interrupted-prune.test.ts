import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import type { NewModel } from "@cortex/model-db";
import { expect, test } from "vitest";

import { modelFolders, planPrune, prune } from "../../src/index.ts";
import { RegistryFolder } from "../registry-folder.ts";

const PRUNER = fileURLToPath(new URL("../processes/pruner.ts", import.meta.url));

test(
  "a prune that is killed at any moment leaves no record of a file that is gone, and is finished by the next",
  { timeout: 180_000 },
  async () => {
    await using folder = await RegistryFolder.create();
    const { registry } = folder;
    const pathOf = (modelId: string): string => folder.at(`models/org/${modelId}/x.gguf`);
    const round = Array.from({ length: 30 }, (_, index) => `m${index}`);
    const models = round.map((modelId): NewModel => {
      const source = `https://huggingface.co/${modelId}`;
      const file = folder.write(`models/org/${modelId}/x.gguf`, modelId.padEnd(4096), { source });
      return { modelId, sourceType: "huggingface", alias: null, files: [file] };
    });
    await registry.models.createMany(models);
    const left = (): number => round.filter((modelId) => existsSync(pathOf(modelId))).length;
    let cutOff = 0;
    for (let kill = 0; kill < 3; kill += 1) {
      const child = spawn(process.execPath, ["--conditions=@cortex/source", PRUNER, registry.location]);
      await once(child.stdout, "data");
      const closed = once(child, "close");
      // In the midst of it, however slow the machine is.
      const target = Math.max(0, left() - 4 - kill);
      while (left() > target) await sleep(0);
      child.kill("SIGKILL");
      await closed;
      const { items } = await registry.models.list({ limit: 1000 });
      const present = items.filter(({ availability }) => availability === "present");
      for (const { modelId } of present) expect(existsSync(pathOf(modelId)), modelId).toBe(true);
      if (left() > 0) cutOff += 1;
    }
    expect(cutOff).toBeGreaterThan(0);
    const folders = await modelFolders({}, registry.location);
    const options = { unusedSince: Date.now() + 86_400_000, partials: true };
    await prune(registry, folders, await planPrune(registry, folders, options));
    for (const modelId of round) {
      expect(existsSync(pathOf(modelId))).toBe(false);
      expect((await registry.models.get(modelId)).availability).toBe("downloadable");
    }
  },
);
