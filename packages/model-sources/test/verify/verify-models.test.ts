import { chmodSync, linkSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";

import { llamaFile } from "@cortex/test-models";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { verifyModels, type ModelVerdict, type VerifyOptions } from "../../src/index.ts";
import { RegistryFolder } from "../registry-folder.ts";

const verify = (folder: RegistryFolder, options?: VerifyOptions): Promise<ModelVerdict[]> =>
  Array.fromAsync(verifyModels(folder.registry, options));

const statesOf = (verdicts: readonly ModelVerdict[]): Record<string, readonly string[]> =>
  Object.fromEntries(
    verdicts.map(({ modelId, files }) => [modelId, files.map(({ verdict }) => verdict.state)]),
  );

describe("verifying models", () => {
  test("finds whole files whole, and records when", async () => {
    await using folder = await RegistryFolder.create();
    await folder.model("a", folder.write("a.bin", "one"), folder.write("b.bin", "two"));
    const before = Date.now();
    expect(statesOf(await verify(folder))).toEqual({ a: ["whole", "whole"] });
    const files = await folder.registry.files.list("a");
    for (const { verifiedAt } of files) expect(verifiedAt).toBeGreaterThanOrEqual(before);
    const { items } = await folder.registry.history.list({ kind: "files_changed" });
    expect(items).toHaveLength(2);
  });

  test("a byte that is not what it was is found wherever it is, and the model is not all here", async () => {
    await using folder = await RegistryFolder.create();
    const size = 3 * 1024 * 1024 + 7;
    const content = Buffer.alloc(size, "0123456789abcdef");
    const file = folder.write("a.bin", content, { verifiedAt: Date.now() + 60_000 });
    await folder.model("a", file);
    const edges = [0, 1024 * 1024 - 1, 1024 * 1024, 2 * 1024 * 1024, size - 1];
    const anywhere = fc.oneof(fc.constantFrom(...edges), fc.nat(size - 1));
    await fc.assert(
      fc.asyncProperty(anywhere, fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        content[at]! ^= flip;
        writeFileSync(file.path, content);
        content[at]! ^= flip;
        expect(statesOf(await verify(folder))["a"]).not.toEqual(["whole"]);
        expect((await folder.registry.models.get("a")).availability).toBe("partial");
        writeFileSync(file.path, content);
        expect(statesOf(await verify(folder))).toEqual({ a: ["whole"] });
        expect((await folder.registry.models.get("a")).availability).toBe("present");
      }),
      { numRuns: 15 },
    );
  });

  test("what was written to since is changed, what rotted is damaged, and neither counts as verified", async () => {
    await using folder = await RegistryFolder.create();
    const rotten = folder.write("rotten", "good");
    const rewritten = folder.write("rewritten", "good");
    await folder.model("a", rotten, rewritten);
    await verify(folder);
    const recorded = await folder.registry.files.list("a");
    for (const { path } of recorded) writeFileSync(path, "evil");
    utimesSync(rotten.path, 1, 1);
    utimesSync(rewritten.path, 1, Date.now() / 1000 + 60);
    const [verdict] = await verify(folder);
    expect(verdict!.files.map(({ file, verdict: { state, reason } }) => [file.path, state, reason])).toEqual([
      [rewritten.path, "changed", expect.stringMatching(/^has the SHA-256 [0-9a-f]{64} and not /)],
      [rotten.path, "damaged", expect.any(String)],
    ]);
    expect(await folder.registry.files.list("a")).toEqual(recorded);
  });

  test("a file that was cut short is known by its size, unread", async () => {
    await using folder = await RegistryFolder.create();
    const file = folder.write("a", "0123456789");
    await folder.model("a", file);
    truncateSync(file.path, 9);
    const [verdict] = await verify(folder);
    expect(verdict!.files[0]!.verdict).toMatchObject({
      state: "damaged",
      reason: "has 9 bytes and not 10",
      foundSha256: null,
    });
  });

  test("a model is missing when none of its weights is there, and present again when they are back", async () => {
    await using folder = await RegistryFolder.create();
    const first = folder.write("1.bin", "1");
    const second = folder.write("2.bin", "2");
    const yml = folder.write("a.yml", "x", { role: "config", sizeBytes: null, sha256: null });
    await folder.model("a", first, second, yml);
    const availability = async (): Promise<string> => {
      await verify(folder);
      return (await folder.registry.models.get("a")).availability;
    };
    rmSync(first.path);
    expect(await availability()).toBe("partial");
    rmSync(second.path);
    expect(await availability()).toBe("missing");
    folder.write("1.bin", "1");
    expect(await availability()).toBe("partial");
    folder.write("2.bin", "2");
    expect(await availability()).toBe("present");
    rmSync(yml.path);
    expect(await availability()).toBe("present");
  });

  test("without a recorded digest only the size is looked at, unless the digest is to be recorded", async () => {
    await using folder = await RegistryFolder.create();
    const { sha256, ...file } = folder.write("a", "content");
    await folder.model("a", file);
    const [verdict] = await verify(folder);
    expect(verdict!.files[0]!.verdict).toMatchObject({ state: "unproven", foundSha256: null });
    expect(await folder.registry.files.list("a")).toMatchObject([{ sha256: null, verifiedAt: null }]);
    await verify(folder, { record: true });
    expect(await folder.registry.files.list("a")).toMatchObject([{ sha256, verifiedAt: expect.any(Number) }]);
    folder.write("a", "CONTENT");
    expect(statesOf(await verify(folder))["a"]).not.toEqual(["whole"]);
  });

  test("where no digest is recorded, a GGUF file whose header cannot be read is damaged", async () => {
    await using folder = await RegistryFolder.create();
    const good = folder.write("good.gguf", llamaFile());
    const [bad, known] = [folder.write("bad.gguf", "<html>"), folder.write("known.gguf", "<html>")];
    await folder.model("a", { ...good, sha256: null }, { ...bad, sha256: null }, known);
    const [verdict] = await verify(folder, { record: true });
    expect(
      Object.fromEntries(verdict!.files.map(({ file, verdict: { state } }) => [file.path, state])),
    ).toEqual({
      [good.path]: "unproven",
      [bad.path]: "damaged",
      [known.path]: "whole",
    });
    expect(await folder.registry.files.list("a")).toMatchObject([
      { sha256: null },
      { sha256: good.sha256 },
      known,
    ]);
  });

  test("a digest is never recorded of a file that has another size than it should", async () => {
    await using folder = await RegistryFolder.create();
    const { sha256: _, ...file } = folder.write("a", "content");
    await folder.model("a", { ...file, sizeBytes: 8 });
    await verify(folder, { record: true });
    expect(await folder.registry.files.list("a")).toMatchObject([{ sha256: null, sizeBytes: 8 }]);
  });

  test("what is somebody else's to read is neither whole nor damaged", async ({ skip }) => {
    if (process.getuid?.() === 0) skip("root reads everything");
    await using folder = await RegistryFolder.create();
    const file = folder.write("a", "content");
    await folder.model("a", file);
    chmodSync(file.path, 0);
    expect(statesOf(await verify(folder))).toEqual({ a: ["unreadable"] });
    expect((await folder.registry.models.get("a")).availability).toBe("present");
  });

  test("what was verified longest ago comes first, and what is known not to be whole last", async () => {
    await using folder = await RegistryFolder.create();
    const add = (name: string, verifiedAt: number | null): Promise<void> =>
      folder.model(name, folder.write(name, name, { verifiedAt }));
    await add("newer", 2000);
    await add("never", null);
    await add("known", null);
    await add("older", 1000);
    await folder.registry.models.update("known", { availability: "partial" });
    expect(Object.keys(statesOf(await verify(folder)))).toEqual(["never", "older", "newer", "known"]);
  });

  test("no further file is begun when the time is over, and the first is always finished", async () => {
    await using folder = await RegistryFolder.create();
    for (const name of ["a", "b", "c"]) await folder.model(name, folder.write(name, name));
    const seen = new Set<string>();
    for (let round = 0; round < 3; round += 1) {
      const verdicts = await verify(folder, { maxMs: 0 });
      expect(verdicts).toHaveLength(1);
      seen.add(verdicts[0]!.modelId);
    }
    expect([...seen].toSorted()).toEqual(["a", "b", "c"]);
  });

  test("what was found before an interruption is recorded", async () => {
    await using folder = await RegistryFolder.create();
    await folder.model("a", folder.write("1", "1"), folder.write("2", "22"));
    const controller = new AbortController();
    const onProgress = (): void => controller.abort(new Error("enough"));
    await expect(verify(folder, { signal: controller.signal, onProgress })).rejects.toThrow("enough");
    const files = await folder.registry.files.list("a");
    expect(files.map(({ verifiedAt }) => verifiedAt !== null)).toEqual([true, false]);
  });

  test("the same content under two names is read once", async () => {
    await using folder = await RegistryFolder.create();
    const file = folder.write("a", "shared");
    linkSync(file.path, folder.at("b"));
    await folder.model("a", file);
    await folder.model("b", { ...file, path: folder.at("b") });
    expect(statesOf(await verify(folder))).toEqual({ a: ["whole"], b: ["whole"] });
  });

  test("what somebody records meanwhile is not overwritten", async () => {
    await using folder = await RegistryFolder.create();
    const file = folder.write("a", "content");
    await folder.model("a", file);
    const other = "0".repeat(64);
    const changing: Promise<unknown>[] = [];
    const onProgress = (): void => {
      if (changing.length === 0) changing.push(folder.registry.files.put("a", { ...file, sha256: other }));
    };
    await verify(folder, { onProgress });
    await Promise.all(changing);
    expect(await folder.registry.files.list("a")).toMatchObject([{ sha256: other, verifiedAt: null }]);
  });

  test("a relative path begins at the registry's folder", async () => {
    await using folder = await RegistryFolder.create();
    await folder.model("a", { ...folder.write("models/a", "content"), path: "models/a" });
    expect(statesOf(await verify(folder))).toEqual({ a: ["whole"] });
  });

  test("what is not meant to be here is left out unless it is named", async () => {
    await using folder = await RegistryFolder.create();
    await folder.model("a", folder.write("a", "a"));
    await folder.registry.models.update("a", { availability: "downloadable" });
    expect(await verify(folder)).toEqual([]);
    expect(statesOf(await verify(folder, { names: ["a"] }))).toEqual({ a: ["whole"] });
    expect((await folder.registry.models.get("a")).availability).toBe("downloadable");
    await expect(verify(folder, { names: ["nothing"] })).rejects.toMatchObject({ code: "model_not_found" });
  });

  test("nothing is written to the files", async () => {
    await using folder = await RegistryFolder.create();
    const file = folder.write("a", "content", { sha256: "0".repeat(64) });
    await folder.model("a", file);
    await verify(folder);
    expect(readFileSync(file.path, "utf8")).toBe("content");
  });
});
