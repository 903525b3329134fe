import { createHash } from "node:crypto";
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { startTestHub, type ContentSource, type Fault, type TestHub } from "@cortex/test-hub";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { downloadFile, type Download, type DownloadedFile } from "../../src/download/download-file.ts";
import { discardPartial } from "../../src/download/partial-file.ts";
import { RateLimit } from "../../src/download/rate-limit.ts";
import { Hub, type HubOptions } from "../../src/hub/hub.ts";
import type { RemoteFile } from "../../src/hub/remote-model.ts";
import { parseReference } from "../../src/reference/model-reference.ts";

const REPO = "org/repo";
const MIB = 1024 * 1024;
// Beside many others on a busy machine.
const SLOW = { timeout: 120_000 };
let server: TestHub;
let hub: Hub;
let root: string;

beforeEach(async () => {
  server = await startTestHub();
  hub = open({});
  root = mkdtempSync(join(tmpdir(), "cortex-download-"));
});
afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

function open(options: HubOptions): Hub {
  return new Hub({
    endpoint: server.endpoint,
    token: "hf_secret",
    privateHosts: ["127.0.0.1"],
    retries: { count: 3, firstDelayMs: 1, maxDelayMs: 100 },
    ...options,
  });
}

async function offered(content: ContentSource, path = "m.gguf"): Promise<RemoteFile> {
  server.commit(REPO, { [path]: content });
  const { files } = await hub.resolve(parseReference(REPO));
  return files[0]!;
}

async function offeredByUrl(content: ContentSource): Promise<RemoteFile> {
  const { files } = await hub.resolve(parseReference(server.putFile("m.gguf", content)));
  return files[0]!;
}

async function pull(file: RemoteFile, options: Partial<Download> = {}): Promise<DownloadedFile> {
  return downloadFile({
    file,
    folder: { path: root, isWritable: true },
    path: "a/b/m.gguf",
    http: hub.http,
    ...options,
  });
}

/** So that it is worth to ask over several connections at a time. */
function sendSlowly(): void {
  server.fault({ kind: "drip", bytesPerSecond: 20 * MIB }, { times: 1000 });
}

const place = (): string => join(root, "a", "b", "m.gguf");
const sha256Of = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");
const left = (): string[] => (existsSync(dirname(place())) ? readdirSync(dirname(place())).toSorted() : []);
const rangesAsked = (): unknown[] =>
  server.requests.filter(({ on }) => on === "cdn").map(({ headers }) => headers.range);

describe("a file", () => {
  test.for([1, 4])("is there whole, over %i connections, and nothing else is", async (connections) => {
    const file = await offered({ sizeBytes: 40 * MIB + 17 });
    sendSlowly();
    const pulled = await pull(file, { connections });
    expect(pulled).toEqual({ path: place(), sha256: file.sha256, sizeBytes: 40 * MIB + 17 });
    expect(sha256Of(place())).toBe(file.sha256);
    expect(left()).toEqual(["m.gguf"]);
    expect(new Set(rangesAsked()).size).toBe(connections === 1 ? 2 : 11);
    // The hub itself is asked once where the file is.
    expect(server.requests.filter(({ url }) => url.includes("/resolve/"))).toHaveLength(1);
    // Files of LFS come from a host that is not to see a token.
    expect(server.requests.filter(({ on, headers }) => on === "cdn" && headers.authorization)).toEqual([]);
  });

  test("that Git itself keeps is verified by Git's own hash", async () => {
    const file = await offered("engine: llama-cpp\n", "model.yml");
    expect(file.gitSha1).not.toBeNull();
    await pull(file);
    expect(readFileSync(place(), "utf8")).toBe("engine: llama-cpp\n");
    rmSync(place());
    server.fault({ kind: "flip", atByte: 3 }, { on: "hub", path: "model.yml" });
    await expect(pull(file)).rejects.toMatchObject({ code: "checksum_mismatch" });
    expect(left()).toEqual([]);
  });

  test("of any server is taken as it is, and its hash told", async () => {
    const file = await offeredByUrl({ sizeBytes: 9 * MIB });
    const { sha256 } = await pull(file);
    expect(sha256).toBe(sha256Of(place()));
  });

  test("without a byte is a file", async () => {
    expect(await pull(await offered("", "empty.gguf"))).toMatchObject({ sizeBytes: 0 });
    expect(statSync(place()).size).toBe(0);
  });

  test("that is there already is not fetched again", async () => {
    const file = await offered({ sizeBytes: 5000 });
    const first = await pull(file);
    server.requests.length = 0;
    expect(await pull(file)).toEqual(first);
    expect(server.requests).toEqual([]);
  });

  test("is not compared any longer than somebody wants it", async () => {
    const file = await offered({ sizeBytes: 40 * MIB });
    await pull(file);
    await expect(pull(file, { signal: AbortSignal.timeout(1) })).rejects.toMatchObject({
      name: "TimeoutError",
    });
    expect(left()).toEqual(["m.gguf"]);
  });

  test("that is not the same is left alone", async () => {
    const file = await offered("GGUF");
    mkdirSync(dirname(place()), { recursive: true });
    writeFileSync(place(), "mine");
    await expect(pull(file)).rejects.toMatchObject({ code: "name_taken" });
    expect(readFileSync(place(), "utf8")).toBe("mine");
  });

  test("that does not fit on the disk is not begun", async () => {
    const file = await offered({ sizeBytes: 2 ** 43, sha256: "0".repeat(64) });
    await expect(pull(file)).rejects.toMatchObject({ code: "disk_full" });
    expect(left()).toEqual([]);
    expect(rangesAsked()).toEqual([]);
  });

  test("tells how far it is", async () => {
    const seen: number[] = [];
    const file = await offered({ sizeBytes: 10 * MIB });
    await pull(file, { onProgress: ({ receivedBytes }) => seen.push(receivedBytes) });
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(10 * MIB);
    expect(seen).toEqual(seen.toSorted((one, other) => one - other));
  });
});

test("more connections come while it is the server that is waited for, and no more than asked for", async () => {
  const file = await offered({ sizeBytes: 40 * MIB });
  sendSlowly();
  await pull(file, { connections: 3 });
  expect(server.mostPartsAtOnce).toBe(3);
  expect(sha256Of(place())).toBe(file.sha256);
});

describe("a connection that breaks", () => {
  test.for<[string, Fault]>([
    ["is cut", { kind: "cut", atByte: 3 * MIB + 5 }],
    ["is answered with 503", { kind: "status", status: 503 }],
    ["is answered with 429", { kind: "status", status: 429, headers: { "retry-after": "0" } }],
  ])("because it %s is taken up again where it was", async ([, fault]) => {
    const file = await offered({ sizeBytes: 20 * MIB });
    server.fault(fault, { times: 2 });
    await pull(file);
    expect(sha256Of(place())).toBe(file.sha256);
  });

  test("because it stalls is taken up again where it was", async () => {
    await using impatient = open({ stallTimeoutMs: 500, retries: { count: 10, firstDelayMs: 1 } });
    const file = await offered({ sizeBytes: 20 * MIB });
    server.fault({ kind: "stall", atByte: 3 * MIB + 5 });
    server.fault({ kind: "stall", atByte: 16 * MIB });
    await pull(file, { http: impatient.http });
    expect(sha256Of(place())).toBe(file.sha256);
  });

  test("because the address that the hub gave has expired is taken up at a new one", async () => {
    const file = await offered({ sizeBytes: 20 * MIB });
    let isExpired = false;
    const onProgress: Download["onProgress"] = ({ receivedBytes }) => {
      if (receivedBytes > 2 * MIB && !isExpired) server.fault({ kind: "status", status: 403 });
      isExpired ||= receivedBytes > 2 * MIB;
    };
    await pull(file, { onProgress });
    expect(sha256Of(place())).toBe(file.sha256);
    expect(isExpired).toBe(true);
  });

  test("for good leaves its part to the others", async () => {
    const file = await offered({ sizeBytes: 60 * MIB });
    sendSlowly();
    // All but the first few bytes of one part, whoever asks, until the others are through.
    server.fault({ kind: "cut", atByte: 20 * MIB }, { times: 4 });
    await pull(file);
    expect(sha256Of(place())).toBe(file.sha256);
  });

  test("is given up when nothing helps, and what arrived stays", async () => {
    const file = await offered({ sizeBytes: 20 * MIB });
    server.fault({ kind: "cut", atByte: 10 * MIB }, { times: 1000 });
    await expect(pull(file, { connections: 1 })).rejects.toMatchObject({ code: "source_unreachable" });
    expect(left()).toEqual(["m.gguf.partial", "m.gguf.partial.json"]);
    server.clearFaults();
    server.requests.length = 0;
    await pull(file, { connections: 1 });
    expect(sha256Of(place())).toBe(file.sha256);
    expect(rangesAsked()).toEqual([`bytes=${10 * MIB}-${20 * MIB - 1}`]);
  });

  test("at any byte, on any number of connections, costs nothing and mixes nothing", SLOW, async () => {
    const sizeBytes = 5 * MIB + 1;
    const file = await offered({ sizeBytes });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: sizeBytes - 1 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 3 }),
        async (cuts, connections) => {
          sendSlowly();
          for (const atByte of cuts) server.fault({ kind: "cut", atByte });
          await pull(file, { connections });
          expect(sha256Of(place())).toBe(file.sha256);
          server.clearFaults();
          rmSync(place());
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe("a download that was stopped", () => {
  test("goes on with what is missing", async () => {
    const file = await offered({ sizeBytes: 20 * MIB });
    const stop = new AbortController();
    const onProgress: Download["onProgress"] = ({ receivedBytes }) => {
      if (receivedBytes > 8 * MIB) stop.abort(new Error("paused"));
    };
    await expect(pull(file, { signal: stop.signal, onProgress })).rejects.toThrow("paused");
    expect(left()).toEqual(["m.gguf.partial", "m.gguf.partial.json"]);
    const seen: number[] = [];
    await pull(file, { onProgress: ({ receivedBytes }) => seen.push(receivedBytes) });
    expect(seen[0]).toBeGreaterThan(8 * MIB);
    expect(sha256Of(place())).toBe(file.sha256);
    expect(left()).toEqual(["m.gguf"]);
  });

  test("begins anew where the remote file is another one now", async () => {
    const first = await offeredByUrl({ sizeBytes: 20 * MIB, seed: 1 });
    server.fault({ kind: "cut", atByte: 10 * MIB }, { times: 1000 });
    await expect(pull(first, { connections: 1 })).rejects.toMatchObject({ code: "source_unreachable" });
    server.clearFaults();
    const second = await offeredByUrl({ sizeBytes: 20 * MIB, seed: 2 });
    await pull(second);
    const { sha256 } = await offered({ sizeBytes: 20 * MIB, seed: 2 });
    expect(sha256Of(place())).toBe(sha256);
  });

  test("does not trust what somebody changed meanwhile", async () => {
    const file = await offered({ sizeBytes: 20 * MIB });
    server.fault({ kind: "cut", atByte: 10 * MIB }, { times: 1000 });
    await expect(pull(file, { connections: 1 })).rejects.toMatchObject({ code: "source_unreachable" });
    server.clearFaults();
    const partial = readFileSync(`${place()}.partial`);
    partial[12_345] = ~(partial[12_345] ?? 0);
    writeFileSync(`${place()}.partial`, partial);
    await pull(file);
    expect(sha256Of(place())).toBe(file.sha256);
  });

  test.for(["", "{", "null", '{"done":[[0,99999999999]]}', "[]"])(
    "does not trust a journal that says %j",
    async (journal) => {
      const file = await offered({ sizeBytes: 2 * MIB });
      mkdirSync(dirname(place()), { recursive: true });
      writeFileSync(`${place()}.partial`, Buffer.alloc(2 * MIB));
      writeFileSync(`${place()}.partial.json`, journal);
      await pull(file);
      expect(sha256Of(place())).toBe(file.sha256);
    },
  );
});

describe("a remote file that changed is noticed and never mixed", () => {
  test("when it has another size", async () => {
    const file = await offered({ sizeBytes: 20 * MIB });
    server.fault({ kind: "size", sizeBytes: 20 * MIB - 1 });
    await expect(pull(file)).rejects.toMatchObject({
      code: "checksum_mismatch",
      message: expect.stringContaining("changed"),
    });
    expect(left()).toEqual([]);
  });

  test("when its hash is another under the same commit", async () => {
    const file = await offered({ sizeBytes: 20 * MIB, seed: 1 });
    const { commit } = await hub.resolve(parseReference(REPO));
    server.corrupt(REPO, commit!, "m.gguf", { sizeBytes: 20 * MIB, seed: 2 });
    await expect(pull(file)).rejects.toMatchObject({ message: expect.stringContaining("its hash is") });
    expect(rangesAsked()).toHaveLength(1);
    expect(left()).toEqual([]);
  });

  test("when a file without a hash has another ETag half way", async () => {
    const file = await offeredByUrl({ sizeBytes: 20 * MIB, seed: 1 });
    server.fault({ kind: "cut", atByte: 10 * MIB });
    const onProgress: Download["onProgress"] = ({ receivedBytes }) => {
      // What is received is reported once it is written, some 8 MiB later.
      if (receivedBytes > MIB) server.putFile("m.gguf", { sizeBytes: 20 * MIB, seed: 2 });
    };
    await expect(pull(file, { connections: 1, onProgress })).rejects.toMatchObject({
      code: "checksum_mismatch",
    });
    expect(left()).toEqual([]);
  });
});

test("wrong bytes never get the file's name", async () => {
  const file = await offered({ sizeBytes: 20 * MIB });
  server.fault({ kind: "flip", atByte: 11 * MIB });
  await expect(pull(file)).rejects.toMatchObject({
    code: "checksum_mismatch",
    message: expect.stringContaining(file.sha256!),
  });
  expect(left()).toEqual([]);
});

describe("a server that knows no ranges", () => {
  test("sends it in one piece", async () => {
    const file = await offered({ sizeBytes: 20 * MIB });
    server.fault({ kind: "ignore-range" }, { times: 1000 });
    await pull(file);
    expect(sha256Of(place())).toBe(file.sha256);
  });

  test("and is cut begins anew, so often and no more", async () => {
    const file = await offered({ sizeBytes: 20 * MIB });
    server.fault({ kind: "ignore-range" }, { times: 1000 });
    server.fault({ kind: "cut", atByte: 15 * MIB }, { times: 2 });
    await pull(file);
    expect(sha256Of(place())).toBe(file.sha256);
    rmSync(place());
    server.fault({ kind: "cut", atByte: 15 * MIB }, { times: 1000 });
    await expect(pull(file)).rejects.toMatchObject({ code: "source_unreachable" });
  });
});

describe("the folder", () => {
  test.for(["../m.gguf", "/etc/m.gguf", "a/../../m.gguf", "con/m.gguf", "a\\m.gguf"])(
    "is not left with %s",
    async (path) => {
      await expect(pull(await offered("GGUF"), { path })).rejects.toMatchObject({ code: "invalid_input" });
    },
  );

  test("is not left through a link on the way", async () => {
    const outside = mkdtempSync(join(tmpdir(), "cortex-outside-"));
    symlinkSync(outside, join(root, "a"));
    await expect(pull(await offered("GGUF"))).rejects.toMatchObject({ code: "invalid_input" });
    expect(readdirSync(outside)).toEqual([]);
    rmSync(outside, { recursive: true });
  });

  test.for([".partial", ".partial.json"])(
    "is not left through a link in the place of the %s file",
    async (suffix) => {
      const outside = join(root, "outside");
      writeFileSync(outside, "precious");
      mkdirSync(dirname(place()), { recursive: true });
      symlinkSync(outside, `${place()}${suffix}`);
      await pull(await offered({ sizeBytes: 3 * MIB })).catch(() => undefined);
      expect(readFileSync(outside, "utf8")).toBe("precious");
    },
  );

  test("holds no other name of a file that is written to", async () => {
    const other = join(root, "other");
    const file = await offered("GGUF");
    writeFileSync(other, "prec");
    mkdirSync(dirname(place()), { recursive: true });
    linkSync(other, `${place()}.partial`);
    await pull(file);
    expect(readFileSync(other, "utf8")).toBe("prec");
  });

  test("has room again when a partial file is discarded", async () => {
    const file = await offered({ sizeBytes: 20 * MIB });
    server.fault({ kind: "cut", atByte: 10 * MIB }, { times: 1000 });
    await expect(pull(file, { connections: 1 })).rejects.toMatchObject({ code: "source_unreachable" });
    expect(await discardPartial(place())).toBeGreaterThanOrEqual(10 * MIB);
    expect(left()).toEqual([]);
    expect(await discardPartial(place())).toBe(0);
  });
});

describe("a limit of the rate", () => {
  test("holds over all connections and files that share it", async () => {
    const file = await offered({ sizeBytes: 9 * MIB });
    const rateLimit = new RateLimit(20 * MIB);
    const before = performance.now();
    await Promise.all(
      ["one.gguf", "two.gguf"].map((path) => pull(file, { path, rateLimit, connections: 2 })),
    );
    const seconds = (performance.now() - before) / 1000;
    expect((18 * MIB) / seconds).toBeLessThan(30 * MIB);
    expect(seconds).toBeGreaterThan(0.6);
  });

  test("may be lower than what a server is given up for", async () => {
    await using impatient = open({ stallTimeoutMs: 300 });
    const file = await offered({ sizeBytes: 100_000 });
    await pull(file, { rateLimit: new RateLimit(80_000), http: impatient.http });
    expect(sha256Of(place())).toBe(file.sha256);
  });
});

test("a server that sends next to nothing is given up", async () => {
  await using impatient = open({ stallTimeoutMs: 300 });
  const file = await offered({ sizeBytes: 10_000 });
  server.fault({ kind: "drip", bytesPerSecond: 50 }, { times: 1000 });
  const asked = pull(file, { http: impatient.http, signal: AbortSignal.timeout(20_000) });
  await expect(asked).rejects.toMatchObject({ code: "source_unreachable" });
});
