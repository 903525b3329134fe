import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { chooseFolder } from "../../src/folders/choose-folder.ts";
import { modelFolders } from "../../src/folders/models-folder.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cortex-folders-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

describe("the models folders", () => {
  test("without CORTEX_MODELS there is one, beside the registry", async () => {
    const folders = await modelFolders({}, join(root, "registry.db"));
    expect(folders).toEqual([{ path: join(root, "models"), isWritable: true }]);
  });

  test("an empty CORTEX_MODELS is as good as none", async () => {
    const folders = await modelFolders({ CORTEX_MODELS: ` ${delimiter}` }, join(root, "registry.db"));
    expect(folders).toEqual([{ path: join(root, "models"), isWritable: true }]);
  });

  test("they keep their order, and one that ends in (ro) is read-only", async () => {
    const named = ["b", "a(ro)", "c", "b"].map((name) => join(root, name)).join(delimiter);
    const folders = await modelFolders({ CORTEX_MODELS: named }, join(root, "registry.db"));
    expect(folders).toEqual([
      { path: join(root, "b"), isWritable: true },
      { path: join(root, "a"), isWritable: false },
      { path: join(root, "c"), isWritable: true },
    ]);
  });

  // What root may do is not held by rights.
  test.skipIf(process.getuid?.() === 0)("one that cannot be written, or made, is read-only", async () => {
    mkdirSync(join(root, "locked"), { mode: 0o555 });
    const named = ["locked", "locked/new"].map((name) => join(root, name)).join(delimiter);
    const folders = await modelFolders({ CORTEX_MODELS: named }, join(root, "registry.db"));
    expect(folders.map(({ isWritable }) => isWritable)).toEqual([false, false]);
  });

  test("a file in its place is refused", async () => {
    writeFileSync(join(root, "file"), "");
    await expect(modelFolders({ CORTEX_MODELS: join(root, "file") }, "registry.db")).rejects.toThrow(
      expect.objectContaining({ code: "invalid_input" }),
    );
  });

  test.for(["models", "./models", "~/models", "~"])(
    "one that is another wherever cortex runs is refused, with what to write: %s",
    async (name) => {
      const named = [join(root, "a"), `${name}(ro)`].join(delimiter);
      await expect(modelFolders({ CORTEX_MODELS: named }, join(root, "registry.db"))).rejects.toMatchObject({
        code: "invalid_input",
        message: expect.stringMatching(/^CORTEX_MODELS names \S+, .+ such as \/\S+\.$/),
      });
    },
  );

  test("a relative location of the registry begins where the program runs", async () => {
    expect(await modelFolders({}, "registry.db")).toMatchObject([{ path: join(process.cwd(), "models") }]);
  });
});

describe("where new files go", () => {
  const readOnly = { path: "/", isWritable: false };

  test("to the first folder that can be written", async () => {
    mkdirSync(join(root, "there"));
    const folders = ["new/deeper", "there"].map((name) => ({ path: join(root, name), isWritable: true }));
    expect(await chooseFolder([readOnly, ...folders], 1000)).toBe(folders[0]);
  });

  test("where none can be written, it is said which there are", async () => {
    await expect(chooseFolder([readOnly], 0)).rejects.toThrow(expect.objectContaining({ code: "read_only" }));
  });

  test("where none has room, nothing is begun, and it is said how much there is", async () => {
    await expect(chooseFolder([{ path: root, isWritable: true }], 4e15)).rejects.toMatchObject({
      code: "disk_full",
      message: expect.stringMatching(/^4 PB are needed, and \S+ has [\d.]+ [kMGT]?B free, 4 PB too little\./),
    });
  });
});
