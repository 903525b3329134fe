import { createHash, randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

import { ByteRanges } from "../../src/download/byte-ranges.ts";
import { ContentHash } from "../../src/download/content-hash.ts";
import { FileWriter } from "../../src/download/file-writer.ts";
import { PIECE_BYTES, Pieces, type Piece } from "../../src/download/pieces.ts";

let root: string;
let path: string;
let descriptor: number;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "cortex-hash-"));
  path = join(root, "file");
  descriptor = openSync(path, "w+");
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

test("a file is what it was written from, and is hashed, in whatever order its pieces come", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        sizeBytes: fc.integer({ min: 1, max: 3_000_000 }),
        pieceBytes: fc.integer({ min: 20_000, max: PIECE_BYTES }),
        lanes: fc.integer({ min: 1, max: 3 }),
        memoryPieces: fc.integer({ min: 1, max: 4 }),
        before: fc.nat({ max: 1_000_000 }),
      }),
      async ({ sizeBytes, pieceBytes, lanes, memoryPieces, before }) => {
        const content = randomBytes(sizeBytes);
        ftruncateSync(descriptor, 0);
        ftruncateSync(descriptor, sizeBytes);
        const pieces = new Pieces(memoryPieces);
        await using hash = new ContentHash(descriptor, sizeBytes, { withGitSha1: true, pieces });
        await using writer = new FileWriter(descriptor, pieces);
        const ranges = new ByteRanges();
        const inUse = new Set<Promise<void>>();
        const bring = async (piece: Piece, bytes: number, start: number): Promise<void> => {
          const hashed = hash.offer(piece, bytes, start);
          await writer.write(piece, bytes, start);
          ranges.add(start, start + bytes);
          hash.advance(ranges.prefixEnd);
          await hashed;
          // Whoever reads it once it is given back reads this.
          piece.bytes.fill(0);
          pieces.giveBack(piece);
        };
        const add = async (start: number, bytes: Buffer): Promise<void> => {
          while (inUse.size === memoryPieces) await Promise.race(inUse);
          const piece = pieces.take();
          piece.bytes.set(bytes);
          const done = bring(piece, bytes.length, start).finally(() => inUse.delete(done));
          inUse.add(done);
        };
        // What an earlier try left has to be read before what comes now.
        const left = content.subarray(0, Math.min(before, sizeBytes - 1));
        writeSync(descriptor, left, 0, left.length, 0);
        ranges.add(0, left.length);
        hash.advance(left.length);
        for (const [start, bytes] of piecesOf(content.subarray(left.length), pieceBytes, lanes)) {
          await add(left.length + start, bytes);
        }
        await Promise.all(inUse);
        expect(await hash.hashes()).toEqual({
          sha256: createHash("sha256").update(content).digest("hex"),
          gitSha1: createHash("sha1").update(`blob ${sizeBytes}\0`).update(content).digest("hex"),
        });
        expect(readFileSync(path).equals(content)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test("a file that is there already is read and hashed", async () => {
  const content = randomBytes(3 * PIECE_BYTES + 17);
  ftruncateSync(descriptor, 0);
  const pieces = new Pieces(4);
  await using writer = new FileWriter(descriptor, pieces);
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    const piece = pieces.take();
    const bytes = content.copy(piece.bytes, 0, at);
    await writer.write(piece, bytes, at);
  }
  await using hash = new ContentHash(descriptor, content.length);
  hash.advance(content.length);
  const { sha256 } = await hash.hashes();
  expect(sha256).toBe(createHash("sha256").update(content).digest("hex"));
});

test("a file that is shorter than what was written to it has no hash", async () => {
  ftruncateSync(descriptor, 10);
  await using hash = new ContentHash(descriptor, 20);
  hash.advance(20);
  await expect(hash.hashes()).rejects.toThrow("shorter");
});

test("nobody waits for a hash that is not wanted any more", async () => {
  ftruncateSync(descriptor, 0);
  ftruncateSync(descriptor, 100_000_000_000);
  const ended = new AbortController();
  await using hash = new ContentHash(descriptor, 100_000_000_000);
  hash.advance(100_000_000_000);
  const waiting = hash.hashes(ended.signal);
  ended.abort(new Error("not wanted"));
  await expect(waiting).rejects.toThrow("not wanted");
});

test("what cannot be written is told with the system's code", async () => {
  const readOnly = openSync(path, "r");
  const pieces = new Pieces(1);
  const writer = new FileWriter(readOnly, pieces);
  await expect(writer.write(pieces.take(), 10, 0)).rejects.toMatchObject({ code: "EBADF" });
  await writer[Symbol.asyncDispose]();
  closeSync(readOnly);
});
