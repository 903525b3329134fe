import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { isRegistryError } from "@cortex/model-db";
import { ggufFile, llamaFile } from "@cortex/test-models";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { readGgufFacts } from "../../src/facts/gguf-facts.ts";
import { BufferSource } from "./buffer-source.ts";

const MB = 1_000_000;
const TERABYTE = 10 ** 12;
const READER = fileURLToPath(new URL("../processes/read-header.ts", import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hostile-headers-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Reading {
  readonly outcome: string;
  readonly milliseconds: number;
  readonly maxRssBytes: number;
}

/** What a process of its own does with a file that begins so, and is as large as it says: the rest is a hole. */
function readInProcess(beginning: Buffer, sizeBytes = beginning.length): Reading {
  const path = join(folder, "a.gguf");
  writeFileSync(path, beginning);
  truncateSync(path, sizeBytes);
  const output = execFileSync(process.execPath, ["--conditions=@cortex/source", READER, path], {
    encoding: "utf8",
  });
  return JSON.parse(output) as Reading;
}

/** The beginning of a file whose one value is a list that claims a length. */
function claim(type: "text" | "list" | "u8", length: number): Buffer {
  const bytes = ggufFile({ key: { list: type, items: [] } });
  bytes.writeBigUInt64LE(BigInt(length), bytes.length - 8);
  return bytes;
}

test(
  "whatever a file of a terabyte claims, memory stays flat and it is refused within a second",
  { timeout: 240_000 },
  () => {
    const { maxRssBytes: plain } = readInProcess(llamaFile());
    const hostile: Record<string, Buffer> = {
      "2^60 values": ggufFile({}, [], { keyCount: 2n ** 60n }),
      "100,000 tensors, all of zeros": ggufFile({}, [], { tensorCount: 100_000n }),
      "4,096 values, all of zeros": ggufFile({}, [], { keyCount: 4096n }),
      "a hundred billion empty texts": claim("text", TERABYTE / 10),
      "lists in a list": claim("list", TERABYTE / 20),
      "a list of a terabyte of bytes": claim("u8", TERABYTE - 1000),
      "a text of half a terabyte": Buffer.concat([
        ggufFile({ key: "" }).subarray(0, -8),
        Buffer.from(new BigUint64Array([BigInt(TERABYTE / 2)]).buffer),
      ]),
    };
    for (const [what, bytes] of Object.entries(hostile)) {
      const { outcome, milliseconds, maxRssBytes } = readInProcess(bytes, TERABYTE);
      expect(["invalid_input", "read"], what).toContain(outcome);
      expect(milliseconds, what).toBeLessThan(1000);
      expect(maxRssBytes - plain, what).toBeLessThan(48 * MB);
    }
  },
);

test("a header of 20 MB of lists takes no more memory than a small one", { timeout: 120_000 }, () => {
  const lists = Array.from({ length: 20 }, (_, index) => {
    const key = ggufFile({ [`list ${index}`]: { list: "u8", items: [] } }).subarray(24);
    key.writeBigUInt64LE(BigInt(MB), key.length - 8);
    return Buffer.concat([key, Buffer.alloc(MB)]);
  });
  const header = Buffer.concat([ggufFile({}, [], { keyCount: 20n }), ...lists]);
  const { maxRssBytes: plain } = readInProcess(llamaFile());
  const { outcome, maxRssBytes } = readInProcess(header);
  expect(outcome).toBe("read");
  expect(maxRssBytes - plain).toBeLessThan(16 * MB);
});

test("10,000 damaged files are read or refused, each at once", { timeout: 120_000 }, async () => {
  const whole = llamaFile();
  const change = fc.record({
    at: fc.nat(whole.length - 9),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      // A count or a length.
      fc
        .bigInt({ min: 0n, max: 2n ** 64n - 1n })
        .map((number) => new Uint8Array(new BigUint64Array([number]).buffer)),
    ),
  });
  let slowestMs = 0;
  const before = process.memoryUsage().rss;
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(200), async (changes, cut) => {
      const damaged = Buffer.from(whole.subarray(0, cut < 20 ? whole.length - cut * 20 : whole.length));
      for (const { at, bytes } of changes)
        damaged.set(bytes.subarray(0, Math.max(0, damaged.length - at)), Math.min(at, damaged.length));
      const start = process.cpuUsage();
      try {
        await readGgufFacts(new BufferSource(damaged), "a.gguf");
      } catch (error) {
        if (!isRegistryError(error) || error.code !== "invalid_input") throw error;
      }
      // Of the processor: other processes take their time, too.
      const { user, system } = process.cpuUsage(start);
      slowestMs = Math.max(slowestMs, (user + system) / 1000);
    }),
    { numRuns: 10_000 },
  );
  expect(slowestMs).toBeLessThan(200);
  expect(process.memoryUsage().rss - before).toBeLessThan(256 * MB);
});
