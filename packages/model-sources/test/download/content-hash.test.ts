import { createHash, randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { ByteRanges } from "../../src/download/byte-ranges.ts";
import { ContentHash, type Piece } from "../../src/download/content-hash.ts";

let root: string;
let descriptor: number;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "cortex-hash-"));
  descriptor = openSync(join(root, "file"), "w+");
});
afterAll(() => {
  closeSync(descriptor);
  rmSync(root, { recursive: true });
});

/** Where each piece begins, and its bytes, in an order that goes on from several places at a time. */
function* piecesOf(content: Buffer, pieceBytes: number, lanes: number): Generator<[number, Buffer]> {
  const share = Math.ceil(content.length / lanes);
  for (let done = 0; done < share; done += pieceBytes) {
    for (let start = done; start < content.length; start += share) {
      const end = Math.min(start - done + share, start + pieceBytes);
      yield [start, content.subarray(start, end)];
    }
  }
}

test("what is hashed is the file, in whatever order and however late its pieces are written", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        sizeBytes: fc.integer({ min: 1, max: 3_000_000 }),
        pieceBytes: fc.integer({ min: 20_000, max: 1024 * 1024 }),
        lanes: fc.integer({ min: 1, max: 3 }),
        unwritten: fc.nat({ max: 3 }),
        rests: fc.boolean(),
        startMs: fc.constantFrom(0, 60),
      }),
      async ({ sizeBytes, pieceBytes, lanes, unwritten, rests, startMs }) => {
        const content = randomBytes(sizeBytes);
        ftruncateSync(descriptor, 0);
        ftruncateSync(descriptor, sizeBytes);
        // One may be in the thread's hands.
        const pieces = unwritten + 2;
        await using hash = new ContentHash(descriptor, sizeBytes, { withGitSha1: true, pieces });
        // Else all is written before the thread has begun.
        await sleep(startMs);
        const ranges = new ByteRanges();
        const waiting: { piece: Piece; start: number; length: number }[] = [];
        const writeUntil = (left: number): void => {
          for (const { piece, start, length } of waiting.splice(0, waiting.length - left)) {
            writeSync(descriptor, piece.bytes, 0, length, start);
            hash.giveBack(piece);
            ranges.add(start, start + length);
            hash.advance(ranges.prefixEnd);
          }
        };
        for (const [start, bytes] of piecesOf(content, pieceBytes, lanes)) {
          const piece = hash.take();
          piece.bytes.set(bytes);
          hash.offer(piece, start, bytes.length);
          waiting.push({ piece, start, length: bytes.length });
          if (waiting.length > unwritten) writeUntil(unwritten);
          if (rests) await turn();
        }
        writeUntil(0);
        expect(await hash.whole()).toEqual({
          sha256: createHash("sha256").update(content).digest("hex"),
          gitSha1: createHash("sha1").update(`blob ${sizeBytes}\0`).update(content).digest("hex"),
        });
      },
    ),
    { numRuns: 60 },
  );
});
