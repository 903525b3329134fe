import { PageDamage } from "./page-damage.ts";
import type { Pages } from "./page-file.ts";

/** A value of a row, as SQLite stores it; integers that a number cannot hold exactly are bigints. */
export type StoredValue = null | number | bigint | string | Buffer;

/**
 * An unsigned varint: 1 to 9 bytes, the highest bit of the first 8 telling that another follows.
 *
 * @param end the first offset that does not belong to it.
 * @returns -1 where it runs over `end`; above 2^53 only nearly right.
 */
export function readVarint(bytes: Buffer, at: number, end: number): number {
  let value = 0;
  for (let index = 0; index < 8; index++) {
    if (at + index >= end) return -1;
    const byte = bytes[at + index]!;
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return value;
  }
  return at + 8 >= end ? -1 : value * 256 + bytes[at + 8]!;
}

/** How many bytes the varint at a place has: 1 to 9. */
export function varintLength(bytes: Buffer, at: number): number {
  let length = 1;
  while (length < 9 && bytes[at + length - 1]! >= 0x80) length++;
  return length;
}

/** How many bytes a value of a serial type takes: https://www.sqlite.org/fileformat2.html#record_format */
export function serialTypeSize(type: number): number {
  if (type >= 12) return Math.floor((type - 12) / 2);
  return [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0][type]!;
}

/**
 * The serial types of a record's values.
 *
 * @param end the first offset that does not belong to the record's header at most.
 * @returns `undefined` where what stands there is no header of a record.
 */
export function readSerialTypes(
  bytes: Buffer,
  at: number,
  end: number,
): { types: number[]; sizeBytes: number } | undefined {
  const sizeBytes = readVarint(bytes, at, end);
  const stop = at + sizeBytes;
  if (sizeBytes < 1 || stop > end) return undefined;
  const types: number[] = [];
  for (let next = at + varintLength(bytes, at); next < stop; next += varintLength(bytes, next)) {
    const type = readVarint(bytes, next, stop);
    if (type < 0 || type === 10 || type === 11 || type > Number.MAX_SAFE_INTEGER) return undefined;
    types.push(type);
  }
  return { types, sizeBytes };
}

/**
 * The values of a whole record.
 *
 * @throws PageDamage where it is none.
 */
export function decodeRecord(record: Buffer): StoredValue[] {
  const header = readSerialTypes(record, 0, record.length);
  if (header === undefined) throw new PageDamage("A record has no header.");
  let at = header.sizeBytes;
  return header.types.map((type) => {
    const start = at;
    at += serialTypeSize(type);
    if (at > record.length) throw new PageDamage("A record is cut off.");
    return readValue(record, start, type);
  });
}

function readValue(record: Buffer, at: number, type: number): StoredValue {
  if (type === 0) return null;
  if (type <= 4) return record.readIntBE(at, type);
  if (type === 5) return record.readIntBE(at, 6);
  if (type === 6) {
    const value = record.readBigInt64BE(at);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  if (type === 7) return record.readDoubleBE(at);
  if (type === 8 || type === 9) return type - 8;
  const bytes = record.subarray(at, at + serialTypeSize(type));
  return type % 2 === 0 ? bytes : bytes.toString("utf8");
}

/**
 * How many bytes of a payload stand in its page; the rest overflows:
 * https://www.sqlite.org/fileformat2.html#b_tree_pages
 */
export function localPayloadSize(sizeBytes: number, usableSize: number, tree: "table" | "index"): number {
  const most = tree === "table" ? usableSize - 35 : Math.floor(((usableSize - 12) * 64) / 255) - 23;
  if (sizeBytes <= most) return sizeBytes;
  const least = Math.floor(((usableSize - 12) * 32) / 255) - 23;
  const wanted = least + ((sizeBytes - least) % (usableSize - 4));
  return wanted <= most ? wanted : least;
}

/**
 * The whole payload of a cell, with what overflows into other pages.
 *
 * @throws PageDamage where it is longer than all pages, or its chain is broken or leads in a circle.
 */
export function readPayload(
  pages: Pages,
  bytes: Buffer,
  { start, sizeBytes }: { start: number; sizeBytes: number },
  tree: "table" | "index",
): Buffer {
  const { usableSize } = pages;
  const local = localPayloadSize(sizeBytes, usableSize, tree);
  const whole = local === sizeBytes;
  if (start + local + (whole ? 0 : 4) > usableSize) throw new PageDamage("A cell runs over its page.");
  if (whole) return bytes.subarray(start, start + local);
  if (sizeBytes > usableSize * (pages.pageCount + 1))
    throw new PageDamage("A cell is longer than all pages.");
  const chunks = [bytes.subarray(start, start + local)];
  const seen = new Set<number>();
  let next = bytes.readUInt32BE(start + local);
  for (let left = sizeBytes - local; left > 0;) {
    if (seen.has(next)) throw new PageDamage("The overflow of a cell leads in a circle.");
    seen.add(next);
    const page = pages.page(next);
    const chunk = page.subarray(4, 4 + Math.min(left, usableSize - 4));
    chunks.push(chunk);
    left -= chunk.length;
    next = page.readUInt32BE(0);
  }
  return Buffer.concat(chunks, sizeBytes);
}
