import { expect } from "vitest";

import { jsonList } from "../../src/answer/json-list.ts";
import { test } from "../harness.ts";

async function* failingAfter(count: number): AsyncGenerator<object, undefined> {
  for (let index = 0; index < count; index++) yield { index };
  throw new Error("the disk is gone");
}

test("a list that fails half way breaks off, one that fails at once is an answer", async ({ service }) => {
  for (const count of [0, 1500]) {
    service.app.get(`/lists/${count}`, (c) => jsonList(c, ['{"data":', "}"], failingAfter(count)));
  }
  const late = await fetch(`${service.url}/lists/1500`);
  expect(late.status).toBe(200);
  await expect(late.text()).rejects.toThrow("terminated");
  expect((await fetch(`${service.url}/lists/0`)).status).toBe(500);
});
