import { parseDuration } from "@cortex/model-db";
import { expect, test } from "vitest";

import { painter } from "../src/output/color.ts";
import { toDocument } from "../src/output/json.ts";
import { toTable } from "../src/output/table.ts";
import { formatDuration, formatRelative } from "../src/output/time.ts";
import { truncate, widthOf } from "../src/output/width.ts";

const plain = painter(1, false);

test("times are relative to now, in the largest unit", () => {
  const now = Date.UTC(2026, 0, 31);
  expect(formatRelative(now, now)).toBe("now");
  expect(formatRelative(now - 1000, now)).toBe("1 second ago");
  expect(formatRelative(now - 59 * 60_000, now)).toBe("59 minutes ago");
  expect(formatRelative(now + 7_200_000, now)).toBe("in 2 hours");
  expect(formatRelative(0, now)).toBe("56 years ago");
  // To the nearest: a lease of 10 minutes ends in 10 minutes, also a moment later.
  expect(formatRelative(now + 599_980, now)).toBe("in 10 minutes");
  expect(formatRelative(now + 3_599_980, now)).toBe("in 1 hour");
  expect(formatRelative(now + 1990, now)).toBe("in 2 seconds");
  expect(formatRelative(now - 400, now)).toBe("now");
  expect(formatRelative(now - 89_000, now)).toBe("1 minute ago");
});

test("a duration that is shown is read as the same", () => {
  for (const milliseconds of [1, 999, 1000, 1500, 60_000, 90_000, 3_600_000, 86_400_000, 2_592_000_000]) {
    expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
  }
});

test("wide characters take two cells, and combining ones none", () => {
  expect(widthOf("tiny")).toBe(4);
  expect(widthOf("模型")).toBe(4);
  expect(widthOf("e\u0301")).toBe(1);
  expect(widthOf("👩‍👩‍👧")).toBe(2);
});

test("a shortened text never takes more cells than there are", () => {
  for (const text of [
    "TheBloke:Mistral-7B:q4.gguf",
    "模型模型模型",
    "e\u0301e\u0301e\u0301",
    "a👩‍👩‍👧b👩‍👩‍👧c",
    "",
  ]) {
    for (let cells = 1; cells < 30; cells += 1) {
      expect(widthOf(truncate(text, cells))).toBeLessThanOrEqual(cells);
      expect(widthOf(truncate(text, cells, "both"))).toBeLessThanOrEqual(cells);
    }
  }
});

test("a table fits the terminal, by shortening and then by leaving out columns", () => {
  const columns = [
    { title: "MODEL", least: 6, keep: "both" as const },
    { title: "SIZE", align: "right" as const },
    { title: "NOTE", sacrifice: 1 },
  ];
  const rows = [
    ["TheBloke:Mistral-7B:q4.gguf", "4.1 GB", "long note"],
    ["模型", "1 GB", ""],
  ];
  for (let width = 6; width < 60; width += 1) {
    const lines = toTable(columns, rows, plain, width).trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(Math.max(width, 14));
  }
  expect(toTable(columns, rows, plain, undefined)).toBe(
    "MODEL                          SIZE  NOTE\n" +
      "TheBloke:Mistral-7B:q4.gguf  4.1 GB  long note\n" +
      "模型                           1 GB\n",
  );
});

function red(color: boolean | undefined, env: NodeJS.ProcessEnv): string {
  return painter(1, color, env)("red", "x");
}

test("colours follow the flag, then FORCE_COLOR, then NO_COLOR", () => {
  expect(red(undefined, { FORCE_COLOR: "1" })).toBe("\u001b[31mx\u001b[39m");
  expect(red(undefined, { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe("\u001b[31mx\u001b[39m");
  expect(red(undefined, { FORCE_COLOR: "0" })).toBe("x");
  expect(red(undefined, { NO_COLOR: "1" })).toBe("x");
  expect(red(false, { FORCE_COLOR: "1" })).toBe("x");
});

test("JSON holds no character that a terminal obeys, and means the same", () => {
  const text = "a\u001b[2J\u009b31m\u202eb\u2028\u007f";
  const document = toDocument({ text });
  // oxlint-disable-next-line no-control-regex -- the point
  expect(document).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
  expect(JSON.parse(document)).toEqual({ text });
});
