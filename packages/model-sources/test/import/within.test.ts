import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";

import { llamaFile } from "@cortex/test-models";
import { expect, test } from "vitest";

import { LocalFile } from "../../src/import/local-file.ts";
import { RegistryFolder } from "../registry-folder.ts";
import { importInto, inShort, write } from "./import-into.ts";

const DENIED = [["refused", "permission_denied"]];

test("only what lies in the allowed folders comes in, whatever paths and links say", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, {
    "allowed/sub/tiny.gguf": llamaFile({}, 1),
    "secret/other.gguf": llamaFile({}, 2),
    "allowed-not/third.gguf": llamaFile({}, 3),
  });
  symlinkSync(folder.at("secret/other.gguf"), folder.at("allowed/link.gguf"));
  symlinkSync(folder.at("secret"), folder.at("allowed/folder"));
  symlinkSync(folder.at("allowed"), folder.at("by-link"));
  const within = [folder.at("allowed")];
  for (const path of [
    "secret/other.gguf",
    "secret",
    "allowed/../secret/other.gguf",
    "allowed/link.gguf",
    "allowed/folder/other.gguf",
    "allowed/folder",
    "allowed-not/third.gguf",
    ".",
  ]) {
    expect(inShort(await importInto(folder, [path], { within })), path).toEqual(DENIED);
  }
  // In the folder as a whole, what leads out of it is refused and the rest comes in.
  expect(inShort(await importInto(folder, ["by-link"], { within }))).toEqual([
    ["refused", "permission_denied"],
    ["refused", "permission_denied"],
    ["imported", "Tiny-Llama-1B-Chat:Q4_K_M"],
  ]);
  expect(await folder.registry.models.count()).toBe(1);
  expect(inShort(await importInto(folder, ["allowed/sub/tiny.gguf"], { within: [] }))).toEqual(DENIED);
});

test("nobody learns what there is elsewhere", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "allowed/tiny.gguf": llamaFile(), "secret/there.gguf": "x" });
  const within = [folder.at("allowed")];
  const said = async (path: string): Promise<unknown> => {
    const [result] = await importInto(folder, [path], { within });
    return (result as { error: Error }).error.message.replace(path, "");
  };
  expect(await said("secret/there.gguf")).toBe(await said("secret/not-there.gguf"));
  expect(await said("secret/there.gguf/x")).toBe(await said("nowhere/at/all"));
  expect(inShort(await importInto(folder, ["allowed/none.gguf"], { within }))).toEqual([
    ["refused", "not_found"],
  ]);
  await expect(LocalFile.open(folder.at("secret/not-there.gguf"), within)).rejects.toMatchObject({
    code: "permission_denied",
  });
});

test("a link that is turned while a file is opened leads nowhere", async () => {
  await using folder = await RegistryFolder.create();
  write(folder, { "allowed/tiny.gguf": llamaFile(), "secret/tiny.gguf": llamaFile() });
  const within = [folder.at("allowed")];
  const outcomes = new Set<string>();
  // Whoever may write in the allowed folder swaps it against a link and back.
  const turning = setInterval(() => {
    renameSync(folder.at("allowed/tiny.gguf"), folder.at("allowed/kept"));
    symlinkSync(folder.at("secret/tiny.gguf"), folder.at("allowed/tiny.gguf"));
    setImmediate(() => {
      rmSync(folder.at("allowed/tiny.gguf"));
      renameSync(folder.at("allowed/kept"), folder.at("allowed/tiny.gguf"));
    });
  }, 1);
  const secret = await LocalFile.open(folder.at("secret/tiny.gguf"));
  try {
    for (const end = Date.now() + 1500; Date.now() < end;) {
      try {
        await using file = await LocalFile.open(folder.at("allowed/tiny.gguf"), within);
        outcomes.add(file.stamp.identity === secret.stamp.identity ? "secret opened" : "opened");
      } catch (error) {
        outcomes.add((error as { code: string }).code);
      }
    }
  } finally {
    clearInterval(turning);
    await secret[Symbol.asyncDispose]();
  }
  outcomes.delete("not_found");
  expect([...outcomes].toSorted()).toEqual(["opened", "permission_denied"]);
});

test.skipIf(process.platform === "win32")(
  "a pipe, a socket or a device is no file, and is not waited for",
  async () => {
    await using folder = await RegistryFolder.create();
    mkdirSync(folder.at("models"));
    execFileSync("mkfifo", [folder.at("models/pipe.gguf")]);
    expect(inShort(await importInto(folder, ["models"]))).toEqual([["refused", "invalid_input"]]);
    await expect(LocalFile.open("/dev/zero")).rejects.toMatchObject({ code: "invalid_input" });
  },
);
