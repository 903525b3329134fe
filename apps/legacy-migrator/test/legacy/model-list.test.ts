import { appendFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { expect, test } from "vitest";

import type { LegacyItem } from "../../src/legacy/legacy-entry.ts";
import { ModelList } from "../../src/legacy/model-list.ts";
import { writeFile } from "../old-data.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const DISK = { isFile: () => false, usualConfigPaths: () => [] };

function read(content: string | Buffer): { items: LegacyItem[]; notes: string[] } {
  using list = new ModelList(writeFile(join(temporaryFolder(), "model.list"), content), DISK);
  const items = [...list.scan()];
  const entries = items.filter((item) => item.kind === "entry");
  expect(entries.map(({ position }) => list.entryAt(position))).toEqual(
    entries.map((entry) => ({ ...entry, line: 0 })),
  );
  return { items, notes: list.notes.map(({ code }) => code) };
}

function ids(items: readonly LegacyItem[]): string[] {
  return items.map((item) => (item.kind === "entry" ? item.modelId : item.code));
}

test("lines are numbered from 1 and keep their order", () => {
  const { items } = read("a x main /a.yml a READY\n\nb x main /b.yml b READY\n");
  expect(items.map(({ line }) => line)).toEqual([1, 2, 3]);
  expect(ids(items)).toEqual(["a", "blank_line", "b"]);
});

test("an empty file has no lines", () => {
  expect(read("").items).toEqual([]);
});

test("a byte order mark is no part of the first id, and is reported", () => {
  const { items, notes } = read("\ufeffa x main /a.yml a READY\r\n");
  expect(ids(items)).toEqual(["a"]);
  expect(notes).toEqual(["byte_order_mark"]);
});

test("names in any script are kept", () => {
  const { items } = read("模型 作者 main /模型.yml ü\u0308 READY\nnext x main /n.yml n READY\n");
  expect(ids(items)).toEqual(["模型", "next"]);
});

test("a line that is not UTF-8 is refused with its number and its bytes made visible; the others are read", () => {
  const latin1 = Buffer.from("caf\xe9 x main /caf\xe9.yml caf\xe9 READY\n", "latin1");
  const { items } = read(
    Buffer.concat([Buffer.from("é x main /a.yml a READY\n"), latin1, Buffer.from("b x main /b.yml b READY")]),
  );
  expect(ids(items)).toEqual(["é", "not_utf8", "b"]);
  expect(items[1]).toMatchObject({ line: 2, text: "caf\\xe9 x main /caf\\xe9.yml caf\\xe9 READY" });
});

test("a line of a megabyte is refused and not held; the ones around it are read", () => {
  const huge = `x${"y".repeat(1024 * 1024)} a main /x.yml x READY`;
  const { items } = read(`a x main /a.yml a READY\n${huge}\nb x main /b.yml b READY\n${huge}`);
  expect(ids(items)).toEqual(["a", "line_too_long", "b", "line_too_long"]);
  expect(items.every((item) => item.kind === "entry" || item.text.length < 2000)).toBe(true);
});

test("a tail of zeros, as a power failure leaves, is refused as one line", () => {
  const { items } = read(Buffer.concat([Buffer.from("a x main /a.yml a READY\n"), Buffer.alloc(5000)]));
  expect(ids(items)[0]).toBe("a");
  expect(items).toHaveLength(2);
});

test("a file larger than what is read at once is read as a whole, wherever the pieces end", () => {
  const lines = Array.from(
    { length: 9000 },
    (_, index) => `model-${index} é${"x".repeat(index % 90)} main /m${index}.yml m${index} READY`,
  );
  const { items } = read(lines.join("\n"));
  expect(ids(items)).toEqual(lines.map((_, index) => `model-${index}`));
});

test("any bytes give one item for each line", () => {
  const folder = temporaryFolder();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      using list = new ModelList(writeFile(join(folder, "model.list"), Buffer.from(bytes)), DISK);
      const count = [...list.scan()].length;
      const newlines = bytes.filter((byte) => byte === 10).length;
      return count === newlines + (bytes.length > 0 && bytes.at(-1) !== 10 ? 1 : 0);
    }),
  );
});

test("a list that the old program changes meanwhile is noticed", () => {
  const path = writeFile(join(temporaryFolder(), "model.list"), "a x main /a.yml a READY\n");
  using list = new ModelList(path, DISK);
  list.assertUnchanged();
  appendFileSync(path, "b x main /b.yml b READY\n");
  expect(() => list.assertUnchanged()).toThrow(/changed by another program/);
});
