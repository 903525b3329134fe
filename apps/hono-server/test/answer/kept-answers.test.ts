import { setTimeout as sleep } from "node:timers/promises";

import type { Grant, Registry } from "@cortex/model-db";
import { describe, expect } from "vitest";

import { JsonText } from "../../src/answer/json-text.ts";
import { KeptAnswers } from "../../src/answer/kept-answers.ts";
import { toWireModel } from "../../src/schemas/model.ts";
import { checkedFetch } from "../checked-fetch.ts";
import { test } from "../harness.ts";
import { createModelsOfEveryKind, MODELS } from "../models-of-every-kind.ts";
import { startServiceProcess } from "../service-process.ts";

const SHORT_MS = 1000;

interface Read {
  status: number;
  etag: string;
  text: string;
}

async function read(url: string, etag?: string): Promise<Read> {
  const answer = await checkedFetch(url, { headers: etag === undefined ? {} : { "if-none-match": etag } });
  return { status: answer.status, etag: answer.headers.get("etag")!, text: await answer.text() };
}

describe("an answer that is kept", () => {
  test("is what would be made of the models anew", async ({ service: { registry, url } }) => {
    await createModelsOfEveryKind(registry);
    const { items } = await registry.models.list();
    const page = { object: "list", data: items.map(toWireModel), next_cursor: null };
    for (let time = 0; time < 3; time++) {
      expect((await read(`${url}/v1/models`)).text).toBe(JSON.stringify(page));
      for (const { modelId } of Object.values(MODELS)) {
        const { text } = await read(`${url}/v1/models/${encodeURIComponent(modelId)}`);
        expect(text).toBe(JSON.stringify(toWireModel(await registry.models.get(modelId))));
      }
    }
  });

  test.for(["/v1/models", "/v1/models?fields=notes", "/v1/models/a"])(
    "is not sent again to who has it, until something changes: %s",
    async (path, { service: { registry, url }, expect: check }) => {
      await registry.models.create({ modelId: "a", sourceType: "local" });
      const first = await read(url + path);
      check(await read(url + path, first.etag)).toEqual({ status: 304, etag: first.etag, text: "" });
      await registry.models.update("a", { notes: "changed" });
      const second = await read(url + path, first.etag);
      check(second.status).toBe(200);
      check(second.text).toContain("changed");
      check(await read(url + path, second.etag)).toMatchObject({ status: 304 });
    },
  );

  test("is another at once when another process changes something, which has the same ETags", async ({
    service: { registry, url },
  }) => {
    const other = await startServiceProcess(registry.location);
    try {
      for (let count = 1; count <= 20; count++) {
        const before = await read(`${url}/v1/models`);
        await other.change(1);
        const after = await read(`${url}/v1/models`, before.etag);
        expect(after.status).toBe(200);
        expect(JSON.parse(after.text)).toHaveProperty("data.length", count);
        expect((await read(`${other.url}/v1/models`, after.etag)).status).toBe(304);
      }
    } finally {
      await other.kill();
    }
  });

  test("no longer says RUNNING when the lease is over", { retry: 2 }, async ({ service }) => {
    const { registry, url } = service;
    await registry.models.create({ modelId: "a", sourceType: "local" });
    await registry.runs.acquire("a", { holder: "an engine", ttlMs: SHORT_MS });
    const paths = ["/v1/models/a", "/v1/models", "/v1/models?status=running"];
    const running = await Promise.all(paths.map((path) => read(url + path)));
    for (const { text } of running) expect(text).toContain('"status":1');
    await sleep(SHORT_MS + 50);
    for (const [index, path] of paths.entries()) {
      const { status, text } = await read(url + path, running[index]!.etag);
      expect(status, path).toBe(200);
      expect(text, path).not.toContain('"status":1');
    }
  });

  test("is no answer to a question that is none", async ({ service: { url } }) => {
    expect((await read(`${url}/v1/models?nothing=1`, "*")).status).toBe(400);
    expect((await read(`${url}/v1/models/none`, "*")).status).toBe(404);
  });
});

const GRANT = { role: "reader", pattern: null, tag: null, owner: null } as const;
const GRANTS: Record<string, Grant> = {
  ann: { ...GRANT, pattern: "a" },
  bob: { ...GRANT, pattern: "b" },
  root: { ...GRANT, role: "admin" },
};

/** Answers any path with the ids that a user sees. */
function idsFor(registry: Registry, answers: KeptAnswers): (path: string, user: string) => Promise<unknown> {
  return async (path, user) => {
    const caller = registry.as({ identity: { user, grants: [GRANTS[user]!], scopes: [], tokenId: null } });
    const { body } = await answers.answer(caller, path, undefined, async () => {
      const { items } = await caller.models.list();
      return new JsonText([JSON.stringify(items.map(({ modelId }) => modelId))]);
    });
    return JSON.parse(String(body)) as unknown;
  };
}

describe("what is kept", () => {
  test("is nobody's who sees other models", async ({ service: { registry } }) => {
    for (const modelId of ["a", "b"]) await registry.models.create({ modelId, sourceType: "local" });
    const ids = idsFor(registry, new KeptAnswers());
    for (let time = 0; time < 3; time++) {
      expect(await ids("/", "ann")).toEqual(["a"]);
      expect(await ids("/", "bob")).toEqual(["b"]);
      expect(await ids("/", "root")).toEqual(["b", "a"]);
    }
  });

  test("stays within its bounds, and goes when it is old", async ({ service: { registry } }) => {
    await registry.models.create({ modelId: "a", sourceType: "local" });
    const maxBytes = 50_000;
    const answers = new KeptAnswers(maxBytes);
    const ids = idsFor(registry, answers);
    for (let count = 0; count < 300; count++) {
      // One that was asked for once is not kept.
      for (let time = 0; time < 3; time++) expect(await ids(`/${count}`, "root")).toEqual(["a"]);
      expect(answers.bytes).toBeLessThanOrEqual(maxBytes);
      if (count % 100 === 0) await registry.models.update("a", { notes: `${count}` });
    }
    expect(answers.bytes).toBeGreaterThan(maxBytes / 2);
  });
});
