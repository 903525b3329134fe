import type { NewGrant, Registry } from "@cortex/model-db";
import { describe, expect } from "vitest";

import { EventReader, seen } from "../../event-reader.ts";
import { test } from "../../harness.ts";

async function tokenOf(registry: Registry, name: string, grants: NewGrant[]): Promise<string> {
  await registry.access.users.create({ name, grants });
  return (await registry.access.tokens.create(name)).token;
}

function listen(url: string, token: string, query = ""): Promise<EventReader> {
  return EventReader.open(`${url}/v1/events${query}`, { authorization: `Bearer ${token}` });
}

describe("GET /v1/events", () => {
  test("200: each listener gets what they may see, of the past and of what happens", async ({ service }) => {
    const { registry, url } = service;
    const { models } = registry;
    const tokens = {
      admin: await tokenOf(registry, "root", [{ role: "admin" }]),
      ann: await tokenOf(registry, "ann", [{ role: "reader" }]),
      bob: await tokenOf(registry, "bob", [{ role: "reader", tag: "public" }]),
    };
    const change = async (): Promise<void> => {
      await models.create({ modelId: "open", sourceType: "local", tags: ["public"] });
      await models.create({ modelId: "plain", sourceType: "local" });
      await models.create({ modelId: "of-bob", sourceType: "local", owner: "bob", private: true });
      await models.create({ modelId: "gone", sourceType: "local", owner: "bob", private: true });
      await models.update("of-bob", { notes: "n" });
      await models.delete("gone");
    };
    const everything = [
      "created open",
      "created plain",
      "created of-bob",
      "created gone",
      "updated of-bob",
      "deleted gone",
    ];
    const expected: Record<keyof typeof tokens, string[]> = {
      admin: everything,
      ann: ["created open", "created plain"],
      bob: everything.filter((each) => each !== "created plain"),
    };
    const live = {
      admin: await listen(url, tokens.admin),
      ann: await listen(url, tokens.ann),
      bob: await listen(url, tokens.bob),
    };
    for (const reader of Object.values(live)) await reader.nextEvent();
    await change();
    await models.create({ modelId: "last", sourceType: "local", tags: ["public"] });
    for (const who of ["admin", "ann", "bob"] as const) {
      const wanted = [...expected[who], "created last"];
      expect(await seen(live[who], wanted.length), who).toEqual(wanted);
      live[who][Symbol.dispose]();
      using past = await listen(url, tokens[who], "?after=0");
      expect(await seen(past, wanted.length), who).toEqual(wanted);
    }
  });

  test("200: a listener whose token is revoked, or whose rights change, is let go at once", async ({
    service,
  }) => {
    const { registry, url } = service;
    const token = await tokenOf(registry, "ann", [{ role: "reader" }]);
    const other = await tokenOf(registry, "bob", [{ role: "reader" }]);
    const third = await tokenOf(registry, "cem", [{ role: "reader" }]);
    using revoked = await listen(url, token);
    using narrowed = await listen(url, other);
    using untouched = await listen(url, third);
    for (const reader of [revoked, narrowed, untouched]) await reader.nextEvent();
    const [record] = await registry.access.tokens.list({ userName: "ann" });
    await registry.access.tokens.revoke(record!.tokenId);
    await registry.access.users.update("bob", { grants: [{ role: "reader", tag: "public" }] });
    const start = performance.now();
    for (const reader of [revoked, narrowed]) {
      expect(await reader.rest()).toEqual([
        { comment: "what you may see has changed; come back with Last-Event-ID" },
      ]);
    }
    expect(performance.now() - start).toBeLessThan(5000);
    await registry.models.create({ modelId: "a", sourceType: "local" });
    expect((await untouched.nextEvent()).event).toBe("created");
    expect((await listen(url, token)).status).toBe(401);
  });

  test("200: a listener from before there were users is let go when there is one", async ({ service }) => {
    const { registry, url } = service;
    using events = await EventReader.open(`${url}/v1/events`);
    await events.nextEvent();
    await tokenOf(registry, "ann", [{ role: "reader" }]);
    expect((await events.rest()).length).toBe(1);
  });
});
