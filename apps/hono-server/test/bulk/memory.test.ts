import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { expect } from "vitest";

import { test } from "../harness.ts";

const LINES = 50_000;
const MEBIBYTE = 1_048_576;

/** Sends lines, each when there is room for it. `fetch` of Node 24 keeps all that it has sent. */
async function send(url: string, lines: Iterable<string>): Promise<IncomingMessage> {
  const sent = request(`${url}/v1/models:bulk-create`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
  });
  // Where the test ends before the body does.
  sent.on("error", () => {});
  Readable.from(lines, { objectMode: true, highWaterMark: 1 }).pipe(sent);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return answer;
}

function* repeated(count: number, line: (index: number) => object): Generator<string> {
  for (let index = 0; index < count; index += 1) yield `${JSON.stringify(line(index))}\n`;
}

// What is not collected yet is in nobody's hands: without this the figure is the collector's mood.
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** How much memory is held at most beyond what was held at first, looked at now and then. */
class Gauge {
  readonly #before = held();
  #most = 0;
  #lines = 0;

  /** @param lines how many have gone by since the last time */
  pass(lines: number): void {
    this.#lines += lines;
    if (this.#lines < LINES / 25) return;
    this.#lines = 0;
    this.#most = Math.max(this.#most, held() - this.#before);
  }

  get mebibytes(): number {
    return this.#most / MEBIBYTE;
  }
}

function held(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function* passing(gauge: Gauge, lines: Iterable<string>): Generator<string> {
  for (const line of lines) {
    gauge.pass(1);
    yield line;
  }
}

/** Reads lines: how many there are of each status. */
async function readAll(gauge: Gauge, answer: AsyncIterable<Buffer>): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {};
  let rest = "";
  for await (const chunk of answer) {
    const parts = (rest + Buffer.from(chunk).toString()).split("\n");
    rest = parts.pop()!;
    for (const part of parts) {
      const { status } = JSON.parse(part) as { status: number };
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
    gauge.pass(parts.length);
  }
  return statuses;
}

test("50,000 lines go in and out", { timeout: 240_000 }, async ({ service }) => {
  const models = repeated(LINES, (index) => ({ model_id: `m${index}`, source_type: "local", alias: null }));
  const creating = new Gauge();
  const answer = await send(service.url, passing(creating, models));
  expect(await readAll(creating, answer)).toEqual({ 201: LINES });
  expect(creating.mebibytes).toBeLessThan(48);
  const exporting = new Gauge();
  const { body } = await fetch(`${service.url}/v1/export`);
  expect(await readAll(exporting, body as AsyncIterable<Buffer>)).toEqual({ 0: LINES });
  expect(exporting.mebibytes).toBeLessThan(48);
});

test("250 MB of lines take a fraction of that in memory", { timeout: 240_000 }, async ({ service }) => {
  const wrong = { model_id: "m", source_type: "local", size_bytes: -1, notes: "x".repeat(5000) };
  const gauge = new Gauge();
  const lines = passing(
    gauge,
    repeated(LINES, () => wrong),
  );
  expect(await readAll(gauge, await send(service.url, lines))).toEqual({ 400: LINES });
  expect(gauge.mebibytes).toBeLessThan(48);
});

test("a client that does not read its answer is not read from", { timeout: 60_000 }, async ({ service }) => {
  // What is wrong with each line is as long as the line.
  const wrong = { model_id: "a", source_type: "local", ["x".repeat(60_000)]: 1 };
  let sent = 0;
  const answer = await send(
    service.url,
    repeated(5000, () => {
      sent += 1;
      return wrong;
    }),
  );
  for (let before = -1; before !== sent; await sleep(1500)) before = sent;
  expect(sent).toBeLessThan(2000);
  answer.destroy();
});
