import { startTestHub, type TestHub } from "@cortex/test-hub";
import { llamaFile } from "@cortex/test-models";
import { afterEach, beforeEach, expect, test } from "vitest";

import { readRemoteFacts } from "../../src/facts/remote-facts.ts";
import { HttpClient } from "../../src/hub/http-client.ts";

let server: TestHub;
let http: HttpClient;

beforeEach(async () => {
  server = await startTestHub();
  http = new HttpClient({
    tokenUrl: server.endpoint,
    privateHosts: ["127.0.0.1"],
    retries: { count: 0 },
  });
});
afterEach(async () => {
  await http[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

/** A model with a vocabulary of some megabytes, before which all stands but the template and the tensors. */
function withVocabulary(): Buffer {
  const items = Array.from({ length: 128_000 }, (_, index) => `a token of some length, number ${index}`);
  return llamaFile({ "tokenizer.ggml.tokens": { list: "text", items } });
}

test("a small header is known whole from one range", async () => {
  const url = server.putFile("tiny.Q4_K_M.gguf", llamaFile());
  const facts = await readRemoteFacts(url, http);
  expect(facts).toMatchObject({
    architecture: "llama",
    quantization: "Q4_K_M",
    parameterCount: 4928,
    complete: true,
  });
  expect(server.requests.map(({ headers }) => headers.range)).toEqual(["bytes=0-131071"]);
});

test("of a header of megabytes at most 512 KiB are fetched, and what they say is known", async () => {
  const bytes = withVocabulary();
  expect(bytes.length).toBeGreaterThan(5_000_000);
  const url = server.putFile("big.Q4_K_M.gguf", bytes);
  const facts = await readRemoteFacts(url, http);
  expect(facts).toMatchObject({
    architecture: "llama",
    contextLength: 2048,
    parameterCount: null,
    complete: false,
  });
  const ranges = server.requests.map(({ headers }) =>
    /^bytes=(\d+)-(\d+)$/.exec(String(headers.range))!.slice(1),
  );
  const asked = ranges.reduce((sum, [from, to]) => sum + Number(to) - Number(from) + 1, 0);
  expect(asked).toBeLessThanOrEqual(512 * 1024);
});

test("a server without ranges does for a small header, and is named where they are needed", async () => {
  const small = server.putFile("small.gguf", llamaFile());
  const big = server.putFile("big.gguf", withVocabulary());
  server.fault({ kind: "ignore-range" }, { times: 9 });
  expect((await readRemoteFacts(small, http)).complete).toBe(true);
  await expect(readRemoteFacts(big, http)).rejects.toMatchObject({ code: "source_unreachable" });
});

test("what is not there, or no GGUF file, or cut short, is refused", async () => {
  await expect(readRemoteFacts(`${server.cdn}/none.gguf`, http)).rejects.toMatchObject({ code: "not_found" });
  const page = server.putFile("page.gguf", "<!doctype html>");
  await expect(readRemoteFacts(page, http)).rejects.toMatchObject({ code: "invalid_input" });
  const empty = server.putFile("empty.gguf", "");
  await expect(readRemoteFacts(empty, http)).rejects.toMatchObject({ code: "invalid_input" });
  const cut = server.putFile("cut.gguf", llamaFile().subarray(0, 600));
  await expect(readRemoteFacts(cut, http)).rejects.toMatchObject({ code: "invalid_input" });
});
