import { existsSync, linkSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { llamaFile } from "@cortex/test-models";
import { expect, test } from "vitest";

import { modelFolders } from "../../src/folders/models-folder.ts";
import type { ImportOptions } from "../../src/import/import-models.ts";
import { RegistryFolder } from "../registry-folder.ts";
import { importInto, inShort, write } from "./import-into.ts";

const ID = "Tiny-Llama-1B-Chat:Q4_K_M";

/** Ways into the models folder of a registry. */
async function into(folder: RegistryFolder, way: ImportOptions["way"]): Promise<Partial<ImportOptions>> {
  return { way, folders: await modelFolders({}, folder.registry.location) };
}

function tree(folder: RegistryFolder): string[] {
  return existsSync(folder.at("models"))
    ? readdirSync(folder.at("models"), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
    : [];
}

test("a copy is the model's own file from then on, and says where it came from", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "down/tiny.Q4_K_M.gguf": llamaFile() });
  expect(inShort(await importInto(folder, ["down"], await into(folder, "copy")))).toEqual([["imported", ID]]);
  const [file, yml] = await folder.registry.files.list(ID);
  const place = folder.at("models/imported/tiny.Q4_K_M/tiny.Q4_K_M.gguf");
  expect(file).toMatchObject({ path: place, source: pathToFileURL(folder.at("down/tiny.Q4_K_M.gguf")).href });
  expect(readFileSync(place)).toEqual(llamaFile());
  expect(statSync(place).ino).not.toBe(statSync(folder.at("down/tiny.Q4_K_M.gguf")).ino);
  expect(tree(folder).toSorted()).toEqual(["tiny.Q4_K_M.gguf", "tiny.Q4_K_M.yml"]);
  // By which clients of the old program know it.
  const config = "models/imported/tiny.Q4_K_M/tiny.Q4_K_M.yml";
  expect(yml).toMatchObject({ path: folder.at(config), role: "config", sha256: null });
  expect((await folder.registry.models.get(ID)).configPath).toBe(config);
  expect(readFileSync(folder.at(config), "utf8")).toContain(`model: ${ID}\n`);
});

test("a hard link takes no room, and the original stays", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "down/tiny.gguf": llamaFile() });
  symlinkSync(folder.at("down/tiny.gguf"), folder.at("by-link.gguf"));
  await importInto(folder, ["by-link.gguf"], await into(folder, "hardlink"));
  const place = folder.at("models/imported/by-link/by-link.gguf");
  expect(statSync(place).ino).toBe(statSync(folder.at("down/tiny.gguf")).ino);
  expect((await folder.registry.files.list("by-link"))[0]).toMatchObject({ path: place });
});

test("a move takes the original away once the model is registered, and not before", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "down/tiny.gguf": llamaFile() });
  // The id is taken: the model cannot be registered.
  await folder.model("other");
  const wish = { model: { modelId: "other" } };
  const move = await into(folder, "move");
  expect(inShort(await importInto(folder, ["down"], { ...move, ...wish }))).toEqual([
    ["refused", "name_taken"],
  ]);
  expect(existsSync(folder.at("down/tiny.gguf"))).toBe(true);
  expect(tree(folder)).toEqual([]);

  const [moved] = await importInto(folder, ["down"], move);
  expect(moved).toMatchObject({ outcome: "imported", left: [] });
  expect(existsSync(folder.at("down/tiny.gguf"))).toBe(false);
  expect(readFileSync(folder.at("models/imported/tiny/tiny.gguf"))).toEqual(llamaFile());
});

test("nothing is overwritten: what is there already stays, and a new folder is made beside it", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "down/tiny.gguf": llamaFile(), "models/imported/tiny/tiny.gguf": "mine" });
  await importInto(folder, ["down"], await into(folder, "copy"));
  expect(readFileSync(folder.at("models/imported/tiny/tiny.gguf"), "utf8")).toBe("mine");
  expect(readFileSync(folder.at("models/imported/tiny-2/tiny.gguf"))).toEqual(llamaFile());
});

test("a model that is registered already is neither copied nor moved", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "a/tiny.gguf": llamaFile(), "b/tiny.gguf": llamaFile() });
  await importInto(folder, ["a"]);
  expect(inShort(await importInto(folder, ["b"], await into(folder, "move")))).toEqual([
    ["already_registered", ID],
  ]);
  expect(existsSync(folder.at("b/tiny.gguf"))).toBe(true);
  expect(tree(folder)).toEqual([]);
});

test("a file whose name leaves no room for what is written beside it keeps no other from coming in", async () => {
  await using folder = await RegistryFolder.create();
  const name = `${"x".repeat(240)}.gguf`;
  write(folder, { [`down/${name}`]: llamaFile({}, 1), "down/z.gguf": llamaFile({}, 2) });
  for (const way of ["copy", "move"] as const) {
    const [refused, other] = await importInto(folder, ["down"], await into(folder, way));
    expect(refused).toMatchObject({ outcome: "refused", error: { code: "invalid_input" } });
    expect(other).toMatchObject({ outcome: way === "copy" ? "imported" : "already_registered" });
    expect(existsSync(folder.at(`down/${name}`))).toBe(true);
  }
  expect(tree(folder).toSorted()).toEqual(["z.gguf", "z.yml"]);
});

test("whoever comes second with the same is told of the original, and not of a copy that is gone again", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "down/tiny.gguf": llamaFile() });
  const options = await into(folder, "copy");
  const results = await Promise.all([1, 2].map(() => importInto(folder, ["down"], options)));
  const all = results.flat();
  expect(all.map(({ outcome }) => outcome).toSorted()).toEqual(["already_registered", "imported"]);
  for (const result of all) {
    expect("paths" in result && result.paths.length === 1 && existsSync(result.paths[0]!)).toBe(true);
  }
});

test("a link on the way out of the models folder is not followed", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "down/tiny.gguf": llamaFile() });
  mkdirSync(folder.at("elsewhere"));
  mkdirSync(folder.at("models"));
  symlinkSync(folder.at("elsewhere"), folder.at("models/imported"));
  expect(inShort(await importInto(folder, ["down"], await into(folder, "copy")))).toEqual([
    ["refused", "invalid_input"],
  ]);
  expect(readdirSync(folder.at("elsewhere"))).toEqual([]);
});

test("a link is not moved, since the file would stay where it is", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "down/tiny.gguf": llamaFile() });
  symlinkSync(folder.at("down/tiny.gguf"), folder.at("by-link.gguf"));
  expect(inShort(await importInto(folder, ["by-link.gguf"], await into(folder, "move")))).toEqual([
    ["refused", "invalid_input"],
  ]);
  expect(existsSync(folder.at("down/tiny.gguf"))).toBe(true);
});

test("a projector that several models share stays when one of them is moved", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, {
    "down/tiny-Q4_K_M.gguf": llamaFile({}, 1),
    "down/tiny-Q8_0.gguf": llamaFile({ "general.name": "Tiny" }, 2),
    "down/mmproj-F16.gguf": llamaFile({ "general.architecture": "clip" }, 3),
  });
  const results = await importInto(folder, ["down"], await into(folder, "move"));
  expect(results.map(({ outcome }) => outcome)).toEqual(["imported", "imported"]);
  expect(readdirSync(folder.at("down"))).toEqual(["mmproj-F16.gguf"]);
  for (const result of results) {
    const { modelId } = (result as { model: { modelId: string } }).model;
    expect((await folder.registry.models.get(modelId)).capabilities).toContain("vision");
  }
});

test("where there is no room, or no folder that can be written, nothing is touched", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "down/tiny.gguf": llamaFile() });
  const folders = [{ path: folder.at("models"), isWritable: false }];
  await expect(importInto(folder, ["down"], { way: "copy", folders })).rejects.toMatchObject({
    code: "read_only",
  });
  linkSync(folder.at("down/tiny.gguf"), folder.at("again.gguf"));
  expect(readdirSync(folder.at("down"))).toEqual(["tiny.gguf"]);
  expect(existsSync(folder.at("models"))).toBe(false);
});

test("what is interrupted leaves nothing behind", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "down/tiny.gguf": Buffer.concat([llamaFile(), Buffer.alloc(8_000_000, 7)]) });
  const stop = new AbortController();
  let reads = 0;
  const importing = importInto(folder, ["down"], {
    ...(await into(folder, "copy")),
    signal: stop.signal,
    // The first pass reads eight pieces and a bit; the second copies.
    onProgress: () => {
      if (++reads === 12) stop.abort(new Error("stopped"));
    },
  });
  await expect(importing).rejects.toThrow("stopped");
  expect(tree(folder)).toEqual([]);
  expect(await folder.registry.models.count()).toBe(0);
});
