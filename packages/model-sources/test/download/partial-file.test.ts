import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { PARTIAL_SUFFIX, PartialFile } from "../../src/download/partial-file.ts";

const SIZE = 4000;
const FILE = { sizeBytes: SIZE, sha256: null, gitSha1: null, etag: null, url: "https://example.org/m.gguf" };
let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "cortex-partial-"));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

test("pieces that are written at once, in whatever order and with gaps, lie where they belong", async () => {
  const place = join(root, "m.gguf");
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 1, max: SIZE - 1 }), { maxLength: 20 }),
      fc.infiniteStream(fc.integer({ min: 0, max: 3 })),
      async (cuts, chances) => {
        const content = randomBytes(SIZE);
        const edges = [0, ...cuts.toSorted((one, other) => one - other), SIZE];
        const pieces = edges.slice(1).map((end, at) => [edges[at]!, end] as const);
        // Some are left out, and some come before what they follow on.
        const chosen: (readonly [number, number])[] = [];
        for (const piece of pieces) {
          const chance = chances.next().value!;
          if (chance === 0) continue;
          if (chance === 1) chosen.unshift(piece);
          else chosen.push(piece);
        }
        await using partial = await PartialFile.open(place, FILE);
        await Promise.all(chosen.map(([start, end]) => partial.write(start, content.subarray(start, end))));
        const expected = Buffer.alloc(SIZE);
        for (const [start, end] of chosen) content.copy(expected, start, start, end);
        expect(readFileSync(`${place}${PARTIAL_SUFFIX}`).equals(expected)).toBe(true);
        expect(partial.ranges.bytes).toBe(chosen.reduce((sum, [start, end]) => sum + end - start, 0));
      },
    ),
  );
});
