import { describe, expect } from "vitest";

import { checkedFetch } from "../../checked-fetch.ts";
import { test as base } from "../../harness.ts";

/** A service in which something happened; lists kinds of events. */
const test = base.extend<{ kinds: (query: string) => Promise<string> }>({
  kinds: async ({ service }, use) => {
    const { models } = service.registry;
    await models.create({ modelId: "a/b", sourceType: "local", alias: "tiny" });
    await models.changeTags("a/b", { add: ["x"] }, { actor: "anna" });
    await models.create({ modelId: "c", sourceType: "local" });
    await models.delete("c");
    await use(async (query) => {
      const answer = await checkedFetch(`${service.url}/v1/history?${query}`);
      const { data } = (await answer.json()) as { data: { kind: string }[] };
      return data.map(({ kind }) => kind).join(" ");
    });
  },
});

describe("GET /v1/history", () => {
  test.for([
    ["", "deleted created tagged created"],
    ["order=asc", "created tagged created deleted"],
    ["model_id=tiny", "tagged created"],
    ["model_id=a%2Fb", "tagged created"],
    ["model_id=c", "deleted created"],
    ["actor=anna", "tagged"],
    ["kind=created&kind=tagged", "created tagged created"],
    ["since=1h&until=now", "deleted created tagged created"],
    ["since=2100-01-01", ""],
    ["limit=1", "deleted"],
  ] as const)("200: ?%s lists %s", async ([query, expected], { kinds }) => {
    expect(await kinds(query)).toBe(expected);
  });

  test("200: pages lead to each other", async ({ service, kinds }) => {
    expect(await kinds("")).not.toBe("");
    const first = await service.client.GET("/v1/history", { params: { query: { limit: 3 } } });
    if (first.data?.object !== "list") throw new Error("A list was asked for.");
    expect(first.response.headers.get("link")).toContain(`cursor=${first.data.next_cursor}`);
    const last = await service.client.GET("/v1/history", {
      params: { query: { limit: 3, cursor: first.data.next_cursor! } },
    });
    expect(last.data).toMatchObject({ data: [{ kind: "created", model_id: "a/b" }], next_cursor: null });
  });

  test("200: what a model was", async ({ service, kinds }) => {
    expect(await kinds("")).not.toBe("");
    const [created] = (await service.registry.history.list({ order: "asc" })).items;
    const { data } = await service.client.GET("/v1/history", {
      params: { query: { model_id: "tiny", at: created!.at } },
    });
    expect(data).toMatchObject({ object: "model", id: "a/b" });
  });

  test.for([
    ["at=now", "at"],
    ["at=now&model_id=tiny&limit=3", "limit"],
    ["since=yesterday", "since"],
    ["kind=born", "kind"],
    ["order=up", "order"],
    ["cursor=-1", "cursor"],
    ["limit=-1", "limit"],
  ] as const)("400: ?%s names %s", async ([query, name], { service }) => {
    const answer = await checkedFetch(`${service.url}/v1/history?${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(name);
  });

  test("404: there was no such model then", async ({ service, kinds }) => {
    expect(await kinds("")).not.toBe("");
    const { response } = await service.client.GET("/v1/history", {
      params: { query: { model_id: "tiny", at: "2001-01-01" } },
    });
    expect(response.status).toBe(404);
  });
});
