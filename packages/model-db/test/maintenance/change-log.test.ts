import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { expect } from "vitest";

import { lastLoggedEventId, readChangeLog, type LogDamage, type ModelEvent } from "../../src/index.ts";
import { ChangeLogWriter, pruneChangeLog } from "../../src/maintenance/change-log.ts";
import { expectRefusal } from "../contract/refusal.ts";
import { test } from "../sqlite/folder.ts";

const ID = "0123456789abcdef0123456789abcdef";

function events(from: number, to: number): ModelEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => ({
    eventId: from + index,
    modelId: `m${from + index}`,
    kind: "updated",
    actor: 'é\n"x"',
    at: 1000 + from + index,
    rowVersion: 2,
    before: { notes: null },
    after: { notes: "\u2028 {}," },
    origin: { address: null, requestId: "r" },
  }));
}

function write(folder: string, batches: ModelEvent[][], { rotate = false, after = 0 } = {}): void {
  mkdirSync(join(folder, "log"), { recursive: true });
  using writer = new ChangeLogWriter(folder, ID, { after });
  for (const batch of batches) {
    writer.append(batch);
    if (rotate) writer.rotate();
  }
}

async function read(
  folder: string,
  after?: number,
): Promise<{ events: ModelEvent[]; damage: readonly LogDamage[] }> {
  const damage: LogDamage[] = [];
  const found: ModelEvent[] = [];
  const options = {
    onDamage: (one: LogDamage) => damage.push(one),
    ...(after === undefined ? {} : { after }),
  };
  for await (const event of readChangeLog(folder, options)) found.push(event);
  return { events: found, damage };
}

const segment = (folder: string, first: number): string =>
  join(folder, "log", `${String(first).padStart(12, "0")}.jsonl`);

test("what was appended is read back, from any event on", async ({ folder }) => {
  expect(lastLoggedEventId(folder)).toBe(undefined);
  write(folder, [events(1, 3), events(4, 4)]);
  write(folder, [events(5, 2000)], { after: 99 });
  expect(await read(folder)).toEqual({ events: events(1, 2000), damage: [] });
  expect((await read(folder, 1998)).events.map(({ eventId }) => eventId)).toEqual([1999, 2000]);
  expect(lastLoggedEventId(folder)).toBe(2000);
});

test("what the system refuses is said in the registry's words", async ({ folder }) => {
  write(folder, [events(1, 3)]);
  using writer = new ChangeLogWriter(folder, ID, { after: 0 });
  renameSync(join(folder, "log"), join(folder, "elsewhere"));
  writer.append(events(4, 4));
  await expectRefusal("not_found", () => writer.rotate());
  writeFileSync(join(folder, "log"), "");
  await expectRefusal("invalid_input", () => writer.rotate());
  await expectRefusal("invalid_input", () => new ChangeLogWriter(folder, ID, { after: 0 }));
  await expectRefusal("invalid_input", () => lastLoggedEventId(folder));
  rmSync(join(folder, "log"));
  mkdirSync(segment(folder, 1), { recursive: true });
  await expectRefusal("invalid_input", () => new ChangeLogWriter(folder, ID, { after: 0 }));
  await expectRefusal("invalid_input", () => lastLoggedEventId(folder));
  await expectRefusal("invalid_input", read(folder));
  // With its file it goes on all the same.
  writer.append(events(5, 5));
});

test("a new log begins behind an event, and says so before it holds one", async ({ folder }) => {
  write(folder, [], { after: 41 });
  expect(lastLoggedEventId(folder)).toBe(41);
  expect(readdirSync(join(folder, "log"))).toEqual(["000000000042.jsonl"]);
});

test("an event that does not follow is refused, and nothing of its batch is written", async ({ folder }) => {
  write(folder, [events(1, 2)]);
  using writer = new ChangeLogWriter(folder, ID, { after: 0 });
  expect(() => writer.append([...events(3, 3), ...events(5, 5)])).toThrow(/gap/);
  expect(() => writer.append(events(2, 2))).toThrow(/gap/);
  writer.append(events(3, 4));
  expect((await read(folder)).events).toEqual(events(1, 4));
});

test("wherever the last batch is torn off, whole lines stay and the log goes on behind them", async ({
  folder,
}) => {
  write(folder, [events(1, 3)]);
  const whole = readFileSync(segment(folder, 1));
  const ends = [...whole.entries()].filter(([, byte]) => byte === 10).map(([at]) => at + 1);
  for (let bytes = ends[0]!; bytes <= whole.length; bytes += 7) {
    writeFileSync(segment(folder, 1), whole);
    truncateSync(segment(folder, 1), bytes);
    const held = ends.filter((end) => end <= bytes).length - 1;
    expect(await read(folder)).toEqual({ events: held === 0 ? [] : events(1, held), damage: [] });
    expect(lastLoggedEventId(folder)).toBe(held);
    write(folder, [events(held + 1, 5)]);
    expect(await read(folder)).toEqual({ events: events(1, 5), damage: [] });
    expect(readdirSync(join(folder, "log"))).toHaveLength(1);
  }
});

test("any damaged line is passed over and named, and no other event is lost with it", async ({ folder }) => {
  write(folder, [events(1, 5)]);
  const whole = readFileSync(segment(folder, 1));
  const lineOf = (at: number): number => whole.subarray(0, at).filter((byte) => byte === 10).length + 1;
  for (let at = 0; at < whole.length; at += 3) {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 1 << (at % 8);
    writeFileSync(segment(folder, 1), bytes);
    const found = await read(folder);
    const lost = lineOf(at) - 1;
    // A flipped end of a line takes the next line with it, or tears the last.
    const ids = found.events.map(({ eventId }) => eventId);
    const allowed = whole[at] === 10 ? [lost, lost + 1] : [lost];
    expect(
      [1, 2, 3, 4, 5].filter((id) => !ids.includes(id) && !allowed.includes(id)),
      `byte ${at}`,
    ).toEqual([]);
    for (const event of found.events) expect(event).toEqual(events(event.eventId, event.eventId)[0]);
    if (lost > 0 && at < whole.length - 1) expect(found.damage[0]?.line, `byte ${at}`).toBe(lost + 1);
  }
});

test("behind damage a new segment begins that holds everything from there", async ({ folder }) => {
  write(folder, [events(1, 6)]);
  const lines = readFileSync(segment(folder, 1), "utf8").split("\n");
  lines[3] = lines[3]!.replace("m3", "m4");
  writeFileSync(segment(folder, 1), lines.join("\n"));
  using writer = new ChangeLogWriter(folder, ID, { after: 0 });
  expect(writer.lastEventId).toBe(2);
  writer.append(events(3, 8));
  expect(readdirSync(join(folder, "log"))).toEqual(["000000000001.jsonl", "000000000003.jsonl"]);
  expect((await read(folder)).events).toEqual(events(1, 8));
});

test("a line that was taken out is noticed", async ({ folder }) => {
  write(folder, [events(1, 4)]);
  const lines = readFileSync(segment(folder, 1), "utf8").split("\n");
  writeFileSync(segment(folder, 1), lines.filter((_, index) => index !== 2).join("\n"));
  expect((await read(folder)).damage).toHaveLength(1);
});

test("segments go as far as the log is not needed, and never the last", async ({ folder }) => {
  write(folder, [events(1, 3), events(4, 6), events(7, 9)], { rotate: true });
  const firsts = (): number[] => readdirSync(join(folder, "log")).map((name) => Number.parseInt(name, 10));
  expect(firsts()).toEqual([1, 4, 7, 10]);
  pruneChangeLog(folder, 5);
  expect(firsts()).toEqual([4, 7, 10]);
  expect((await read(folder, 5)).events).toEqual(events(6, 9));
  pruneChangeLog(folder, 9);
  expect(firsts()).toEqual([10]);
  pruneChangeLog(folder, 100);
  expect(lastLoggedEventId(folder)).toBe(9);
  appendFileSync(segment(folder, 10), '{"event_id":10');
  expect(lastLoggedEventId(folder)).toBe(9);
});
