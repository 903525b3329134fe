import { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { ListFile, type ForeignContent } from "../../src/bridge/list-file.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("two writes of one clock tick and one length are told apart, and how long each was there", () => {
  const path = join(temporaryFolder(), "model.list");
  writeFileSync(path, "one\n");
  // Ahead, so that the tick is not over, however busy the machine is.
  const tick = new Date(Date.now() + 60_000);
  utimesSync(path, tick, tick);
  using file = new ListFile(path);
  const first = file.look() as ForeignContent;
  expect(first).toMatchObject({ bytes: Buffer.from("one\n"), seenAt: first.since });
  writeFileSync(path, "two\n");
  utimesSync(path, tick, tick);
  const second = file.look() as ForeignContent;
  expect(second.bytes.toString()).toBe("two\n");
  expect(second.since).toBeGreaterThan(first.since);
  const third = file.look() as ForeignContent;
  expect(third.since).toBe(second.since);
  expect(third.seenAt).toBeGreaterThan(third.since);
});
