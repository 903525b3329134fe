import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import type { Registry } from "@cortex/model-db";
import { expect } from "vitest";

import { MAX_MEMORY_LENGTH } from "../../src/lane/answer-memory.ts";
import { toWireModel } from "../../src/schemas/model.ts";
import { startService, test } from "../harness.ts";

const MODELS = 300;
const PAGE = 50;
// Beyond what the system takes for a client that does not read.
const QUESTIONS = 300;

async function createModels(registry: Registry, notes: string): Promise<void> {
  await registry.models.createMany(
    Array.from({ length: MODELS }, (_, index) => ({
      modelId: `model-${index}`,
      sourceType: "local" as const,
      notes: `${index} ${notes}`,
    })),
  );
}

/** Asks for pages, each another than those before, without reading the answers. */
function ask(port: number, count: number, first: number): Socket {
  const socket = connect(port, "127.0.0.1").pause();
  for (let index = 0; index < count; index++) socket.write(question(first + index, index === count - 1));
  return socket;
}

function question(index: number, isLast: boolean): string {
  // No model has that tag: the same page under a question that nobody has asked before.
  const target = `/v1/models?limit=${PAGE}&without_tag=tag-${index}`;
  return `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${isLast ? "Connection: close\r\n" : ""}\r\n`;
}

async function readBodies(socket: Socket): Promise<string[]> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await once(socket, "end");
  const all = Buffer.concat(chunks);
  const bodies: string[] = [];
  for (let at = 0; at < all.length;) {
    const start = all.indexOf("\r\n\r\n", at) + 4;
    const length = Number(/content-length: (\d+)/i.exec(all.toString("latin1", at, start))![1]);
    bodies.push(all.toString("utf8", start, start + length));
    at = start + length;
  }
  return bodies;
}

/** The models of an answer. */
function toData(body: string): string {
  return JSON.stringify((JSON.parse(body) as { data: unknown }).data);
}

async function readPage(registry: Registry): Promise<string> {
  const { items } = await registry.models.list({ limit: PAGE });
  return JSON.stringify(items.map(toWireModel));
}

test.for([
  ["of ASCII", "plain"],
  ["of other characters", "é 模型 🤖"],
] as const)(
  "what a client is sent that is slow to read is not overwritten by what others are sent: %s",
  { timeout: 20_000 },
  async ([, notes]) => {
    await using service = await startService({ maxConcurrent: 10_000 });
    const { registry, port } = service;
    await createModels(registry, notes);
    const before = await readPage(registry);
    const slow = [0, 1, 2].map((turn) => ask(port, QUESTIONS, turn * QUESTIONS));
    await sleep(200);
    await registry.models.update("model-299", { notes: `another ${notes}` });
    const after = await readPage(registry);
    const others = await readBodies(ask(port, QUESTIONS, 0));
    expect(new Set(others.map(toData))).toEqual(new Set([after]));
    for (const socket of slow) {
      const pages = (await readBodies(socket)).map(toData);
      expect(pages).toHaveLength(QUESTIONS);
      expect(pages.filter((page) => page !== before && page !== after)).toEqual([]);
    }
  },
);

test("an answer of any length is whole", { timeout: 20_000 }, async ({ service: { registry, url } }) => {
  // In UTF-8 each takes three bytes.
  const wide = "模".repeat(1000);
  await createModels(registry, wide);
  const lengths = new Set<string>();
  for (let limit = 1; limit <= MODELS; limit += 7) {
    const answer = await fetch(`${url}/v1/models?limit=${limit}`);
    const text = await answer.text();
    const { items } = await registry.models.list({ limit });
    expect(toData(text)).toBe(JSON.stringify(items.map(toWireModel)));
    lengths.add(text.length < 8192 ? "short" : text.length <= MAX_MEMORY_LENGTH ? "long" : "longest");
  }
  expect([...lengths]).toEqual(["short", "long", "longest"]);
});
