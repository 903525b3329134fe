import { setTimeout as sleep } from "node:timers/promises";

import { expect, test } from "vitest";

import { inBatches } from "../../src/maintenance/in-batches.ts";

async function* items(): AsyncGenerator<number> {
  for (let item = 0; item < 1203; item++) {
    if (item === 3) await sleep(20);
    yield item;
  }
}

async function* failing(): AsyncGenerator<number> {
  yield 1;
  await sleep(20);
  throw new Error("late");
}

test("what comes without waiting comes together, 500 at a time, and nothing is left out", async () => {
  const batches = await Array.fromAsync(inBatches(items()));
  expect(batches.map(({ length }) => length)).toEqual([3, 500, 500, 200]);
  expect(batches.flat()).toEqual(Array.from({ length: 1203 }, (_, index) => index));
});

test("a failure reaches who still waits, and is no unhandled one when nobody does", async () => {
  await expect(Array.fromAsync(inBatches(failing()))).rejects.toThrow("late");
  const unhandled: unknown[] = [];
  const listen = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", listen);
  for await (const _ of inBatches(failing())) break;
  await sleep(50);
  process.off("unhandledRejection", listen);
  expect(unhandled).toEqual([]);
});
