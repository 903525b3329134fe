import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { folderOf, placeInFolder } from "../../src/folders/place-in-folder.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cortex-place-"));
  for (const name of ["models", "elsewhere"]) mkdirSync(join(root, name));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});
const models = (): { path: string; isWritable: boolean } => ({
  path: join(root, "models"),
  isWritable: true,
});

describe("a place inside a models folder", () => {
  test("is given also where nothing is there yet", async () => {
    const place = join(root, "models", "huggingface.co", "org", "repo", "a.gguf");
    expect(await placeInFolder(models(), "huggingface.co/org/repo/a.gguf")).toBe(place);
    const unmade = { path: join(root, "not", "yet"), isWritable: true };
    expect(await placeInFolder(unmade, "a.gguf")).toBe(join(root, "not", "yet", "a.gguf"));
  });

  test.each(["../a", "/a", "a/../../b", "NUL"])("%s is none", async (path) => {
    await expect(placeInFolder(models(), path)).rejects.toThrow(
      expect.objectContaining({ code: "invalid_input" }),
    );
  });

  test("a folder on the way that is a link out of it is refused", async () => {
    symlinkSync(join(root, "elsewhere"), join(root, "models", "org"));
    await expect(placeInFolder(models(), "org/repo/a.gguf")).rejects.toThrow(
      expect.objectContaining({ code: "invalid_input" }),
    );
  });

  test("a folder on the way that is a link to nothing is refused", async () => {
    symlinkSync(join(root, "nothing"), join(root, "models", "org"));
    await expect(placeInFolder(models(), "org/a.gguf")).rejects.toThrow(
      expect.objectContaining({ code: "invalid_input" }),
    );
  });

  test("the models folder itself may be a link", async () => {
    symlinkSync(join(root, "elsewhere"), join(root, "link"));
    const link = { path: join(root, "link"), isWritable: true };
    expect(await placeInFolder(link, "org/a.gguf")).toBe(join(root, "link", "org", "a.gguf"));
  });
});

describe("the models folder that a file lies in", () => {
  test("is the innermost, whatever links are on the way", async () => {
    mkdirSync(join(root, "models", "inner"));
    writeFileSync(join(root, "models", "inner", "a.gguf"), "");
    symlinkSync(join(root, "models"), join(root, "link"));
    const inner = { path: join(root, "models", "inner"), isWritable: false };
    const found = await folderOf([models(), inner], join(root, "link", "inner", "a.gguf"));
    expect(found).toEqual({ folder: inner, relativePath: "a.gguf" });
  });

  test("is none for a file elsewhere, also where its name begins the same", async () => {
    expect(await folderOf([models()], join(root, "models-2", "a.gguf"))).toBeUndefined();
    expect(await folderOf([models()], join(root, "models"))).toBeUndefined();
  });
});
