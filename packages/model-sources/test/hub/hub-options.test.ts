import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { hubOptions } from "../../src/hub/hub-options.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "cortex-hub-options-"));
});
afterEach(() => rmSync(home, { recursive: true }));

test("without settings it is Hugging Face itself, without a token and without private addresses", async () => {
  expect(await hubOptions({ HOME: home })).toEqual({
    endpoint: "https://huggingface.co/",
    token: undefined,
    privateHosts: [],
  });
});

test("an endpoint that is set may be private", async () => {
  const { endpoint, privateHosts } = await hubOptions({ HOME: home, HF_ENDPOINT: "http://10.0.0.5:8080" });
  expect(endpoint).toBe("http://10.0.0.5:8080/");
  expect(privateHosts).toEqual(["10.0.0.5"]);
});

test.for(["10.0.0.5", "ftp://hub", "hub:80:80"])("%s is no endpoint", async (HF_ENDPOINT) => {
  await expect(hubOptions({ HF_ENDPOINT })).rejects.toMatchObject({ code: "invalid_input" });
});

test("the token is that of the variable, else of the file that a login left", async () => {
  mkdirSync(join(home, ".cache", "huggingface"), { recursive: true });
  writeFileSync(join(home, ".cache", "huggingface", "token"), "hf_file\n");
  expect(await hubOptions({ HOME: home })).toMatchObject({ token: "hf_file" });
  expect(await hubOptions({ HOME: home, HF_TOKEN: " hf_set\n" })).toMatchObject({ token: "hf_set" });
  expect(await hubOptions({ HF_HOME: join(home, ".cache", "huggingface") })).toMatchObject({
    token: "hf_file",
  });
  const HF_TOKEN_PATH = join(home, "other");
  writeFileSync(HF_TOKEN_PATH, "hf_other");
  expect(await hubOptions({ HOME: home, HF_TOKEN_PATH })).toMatchObject({ token: "hf_other" });
});
