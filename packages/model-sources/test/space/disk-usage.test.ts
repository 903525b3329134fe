import { linkSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { diskUsage, modelFolders, type DiskUsage } from "../../src/index.ts";
import { RegistryFolder } from "../registry-folder.ts";

async function usageOf(folder: RegistryFolder): Promise<DiskUsage> {
  const { registry } = folder;
  const surroundings = { env: {}, home: folder.at("home"), platform: "linux" } as const;
  return diskUsage(registry, await modelFolders({}, registry.location), surroundings);
}

const KB = "k".repeat(4096);

describe("what models take on the disk", () => {
  test("is counted by where they lie, their source and their author, the largest first", async () => {
    await using folder = await RegistryFolder.create();
    await folder.model("a", folder.write("models/a", KB), folder.write("models/a.yml", "x"));
    await folder.registry.models.create({
      modelId: "b",
      sourceType: "huggingface",
      authorRepo: "org",
      files: [folder.write("elsewhere/b", KB + KB)],
    });
    const usage = await usageOf(folder);
    const row = { models: 1, files: 1, usedBytes: 8192, sharedBytes: 0 };
    const other = { models: 1, files: 2, usedBytes: 4097, sharedBytes: 0 };
    expect(usage).toMatchObject({
      usedBytes: 12_289,
      savedBytes: 0,
      partialBytes: 0,
      missingFiles: 0,
      byStore: [
        { store: null, path: null, ...row },
        { store: "cortex", path: folder.at("models"), ...other },
      ],
      bySource: [
        { name: "huggingface", ...row },
        { name: "local", ...other },
      ],
      byAuthor: [
        { name: "org", ...row },
        { name: null, ...other },
      ],
      folders: [{ path: folder.at("models"), isWritable: true, freeBytes: expect.any(Number) }],
    });
  });

  test.each([
    ["hard links", (from: string, to: string) => linkSync(from, to)],
    ["links to one blob", (from: string, to: string) => symlinkSync(from, to)],
  ])("counts %s once", async (_name, makeLink) => {
    await using folder = await RegistryFolder.create();
    const file = folder.write("blob", KB);
    makeLink(file.path, folder.at("b"));
    makeLink(file.path, folder.at("c"));
    await folder.model("b", { ...file, path: folder.at("b") });
    await folder.registry.models.create({
      modelId: "c",
      sourceType: "huggingface",
      files: [{ ...file, path: folder.at("c") }],
    });
    expect(await usageOf(folder)).toMatchObject({
      usedBytes: 4096,
      savedBytes: 4096,
      byStore: [{ models: 2, files: 2, usedBytes: 4096, sharedBytes: 0 }],
      bySource: [
        { usedBytes: 4096, sharedBytes: 4096 },
        { usedBytes: 4096, sharedBytes: 4096 },
      ],
    });
  });

  test("counts a file that several models have once, and a copy of it twice", async () => {
    await using folder = await RegistryFolder.create();
    const file = folder.write("a", KB);
    await folder.model("a", file);
    await folder.model("b", file, folder.write("copy", KB));
    expect(await usageOf(folder)).toMatchObject({ usedBytes: 8192, savedBytes: 4096 });
  });

  test("a blob of another tool's store is that tool's, whatever links lead to it", async () => {
    await using folder = await RegistryFolder.create();
    const cache = "home/.cache/huggingface/hub/models--org--name";
    const blob = folder.write(`${cache}/blobs/${"0".repeat(64)}`, KB);
    mkdirSync(folder.at(`${cache}/snapshots/1`), { recursive: true });
    const path = folder.at(`${cache}/snapshots/1/x.gguf`);
    symlinkSync(`../../blobs/${"0".repeat(64)}`, path);
    await folder.model("a", { ...blob, path });
    expect((await usageOf(folder)).byStore).toMatchObject([
      { store: "huggingface", path: folder.at("home/.cache/huggingface/hub"), usedBytes: 4096 },
    ]);
  });

  test("is what is on the disk, not what is recorded", async () => {
    await using folder = await RegistryFolder.create();
    const [gone, holes] = [folder.write("gone", KB), folder.write("holes", KB)];
    await folder.model("a", gone, holes);
    rmSync(gone.path);
    truncateSync(holes.path, 1_000_000_000);
    expect(await usageOf(folder)).toMatchObject({ usedBytes: 4096, missingFiles: 1 });
    await folder.registry.models.update("a", { availability: "downloadable" });
    expect(await usageOf(folder)).toMatchObject({ missingFiles: 0 });
  });

  test("has what is not whole yet in it", async () => {
    await using folder = await RegistryFolder.create();
    folder.write("models/huggingface.co/org/repo/a.gguf.partial", KB);
    mkdirSync(folder.at("outside"));
    writeFileSync(folder.at("outside/b.partial"), KB);
    symlinkSync(folder.at("outside"), folder.at("models/link"));
    expect(await usageOf(folder)).toMatchObject({ usedBytes: 4096, partialBytes: 4096 });
  });
});
