import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect } from "vitest";

import { test as base } from "../../harness.ts";
import { sendLines } from "../../ndjson.ts";

const local = (model_id: string, more: object = {}): object => ({ model_id, source_type: "local", ...more });
const named = (count: number): object[] => Array.from({ length: count }, (_, index) => local(`m${index}`));

const test = base.extend<{ url: string }>({
  url: async ({ service }, use) => {
    await use(`${service.url}/v1/models:bulk-create`);
  },
});

describe("POST /v1/models:bulk-create", () => {
  test("200: a line for each, and a bad one does not stop the others", async ({ service, url }) => {
    const { results } = await sendLines(url, [
      local("a", { files: [{ path: "/a", role: "weights" }] }),
      "",
      "{",
      local("b", { colour: "red" }),
      local("a"),
      '{"model_id":"c","model_id":"d","source_type":"local"}',
      local("e"),
    ]);
    expect(results.map(({ line, status }) => [line, status])).toEqual([
      [1, 201],
      [3, 400],
      [4, 400],
      [5, 409],
      [6, 400],
      [7, 201],
    ]);
    expect(results[2]?.error?.message).toContain("colour");
    expect((await service.registry.models.list({ sort: { field: "model_id" } })).items).toMatchObject([
      { modelId: "a", availability: "present" },
      { modelId: "e" },
    ]);
  });

  test("200: what is not UTF-8 is refused line by line", async ({ url }) => {
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: Buffer.concat([
        Buffer.from('{"model_id":"'),
        Buffer.of(0xff),
        Buffer.from(`"}\n${JSON.stringify(local("b"))}`),
      ]),
    });
    const lines = (await answer.text()).trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { status: number }).status)).toEqual([400, 201]);
  });

  test("200: what is there already is passed over on request", async ({ service, url }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "remote" });
    const { results } = await sendLines(`${url}?on_existing=skip`, [local("a"), local("b")]);
    expect(results.map(({ status }) => status)).toEqual([200, 201]);
    expect((await service.registry.models.get("a")).sourceType).toBe("remote");
  });

  test("200: an empty body has an empty answer", async ({ url }) => {
    const { response, results } = await sendLines(url, []);
    expect([response.status, results]).toEqual([200, []]);
  });

  test("200: the answer begins while the body still comes", async ({ url }) => {
    let end: (() => void) | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(
          Buffer.from(
            `${named(501)
              .map((each) => JSON.stringify(each))
              .join("\n")}\n`,
          ),
        );
        end = () => controller.close();
      },
    });
    const answer = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body,
      duplex: "half",
    });
    const reader = answer.body!.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toMatch(/^{"line":1,"status":201,/);
    end!();
    while (!(await reader.read()).done);
  });

  test("200: all of them, where all or none is asked for", async ({ service, url }) => {
    const { results } = await sendLines(`${url}?atomic=true`, named(1200));
    expect(results).toHaveLength(1200);
    expect(results.at(-1)).toEqual({ line: 1200, status: 201, id: "m1199" });
    expect(await service.registry.models.count()).toBe(1200);
  });

  test("409: none of them, where all or none is asked for", async ({ service, url }) => {
    const { response } = await sendLines(`${url}?atomic=true`, [...named(700), local("m3")]);
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({
      error: {
        code: "name_taken",
        message: expect.stringMatching(/^Line 701: .+ Nothing was changed\.$/s) as string,
      },
    });
    expect(await service.registry.models.count()).toBe(0);
  });

  test.for([
    ["?on_existing=replace", "on_existing"],
    ["?atomic=1", "atomic"],
    ["?colour=red", "colour"],
  ] as const)("400: %s", async ([query, name], { url }) => {
    const { response } = await sendLines(url + query, [local("a")]);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(name);
  });

  test("415: a body of JSON is none of lines", async ({ url }) => {
    const { response } = await sendLines(url, [local("a")], { "content-type": "application/json" });
    expect(response.status).toBe(415);
  });

  test("200: asked again with its key, it is answered again and not done again", async ({ service, url }) => {
    const key = { "idempotency-key": "k-1" };
    const first = await sendLines(url, named(600), key);
    const events = await service.registry.history.latestEventId();
    const again = await sendLines(url, named(600), key);
    expect(again.results).toEqual(first.results);
    expect(await service.registry.history.latestEventId()).toBe(events);
  });

  test("200: what broke off goes on with its key, and nothing is doubled", async ({ service, url }) => {
    const lines = named(1300).map((line) => `${JSON.stringify(line)}\n`);
    const broken = new AbortController();
    const sent = fetch(url, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson", "idempotency-key": "k-2" },
      body: new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(Buffer.from(lines.slice(0, 700).join("")));
        },
      }),
      duplex: "half",
      signal: broken.signal,
    });
    const reader = (await sent).body!.getReader();
    await reader.read();
    broken.abort();
    await expect(reader.read()).rejects.toThrow("aborted");
    expect(await service.registry.models.count()).toBe(500);
    let answer = await sendLines(
      url,
      lines.map((line) => line.trim()),
      { "idempotency-key": "k-2" },
    );
    for (; answer.response.status === 409; await sleep(50)) {
      answer = await sendLines(
        url,
        lines.map((line) => line.trim()),
        { "idempotency-key": "k-2" },
      );
    }
    expect(answer.results.filter(({ status }) => status === 201)).toHaveLength(1300);
    expect(await service.registry.models.count()).toBe(1300);
  });

  test("409: while a request with the same key is under way", async ({ url }) => {
    const key = { "idempotency-key": "k-3" };
    const both = await Promise.all([sendLines(url, named(600), key), sendLines(url, named(600), key)]);
    expect(both.map(({ response }) => response.status).toSorted((a, b) => a - b)).toEqual([200, 409]);
  });

  test("422: another body with the same key, also one that only goes on", async ({ service, url }) => {
    const key = { "idempotency-key": "k-4" };
    await sendLines(url, named(500), key);
    const other = await sendLines(url, named(499), key);
    expect(other.response.status).toBe(422);
    const longer = await sendLines(url, named(501), key);
    expect(longer.response.status).toBe(422);
    const elsewhere = await sendLines(`${url}?on_existing=skip`, named(500), key);
    expect(elsewhere.response.status).toBe(422);
    expect(await service.registry.models.count()).toBe(500);
  });
});
