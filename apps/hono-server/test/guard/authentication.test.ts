import type { Registry } from "@cortex/model-db";
import { describe, expect } from "vitest";

import { startService, test } from "../harness.ts";

async function withToken(registry: Registry): Promise<string> {
  await registry.access.users.create({ name: "ann", grants: [{ role: "editor" }] });
  return (await registry.access.tokens.create("ann")).token;
}

const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });

describe("as long as there is no user", () => {
  test("everybody may do everything, whatever token they made up", async ({ service }) => {
    for (const headers of [{}, bearer("ollama"), bearer("sk-1"), { authorization: "Basic eA==" }]) {
      expect((await fetch(`${service.url}/v1/models`, { headers })).status).toBe(200);
    }
  });

  test.for(["x-forwarded-for", "forwarded", "x-real-ip", "via"])(
    "nobody may who comes through a proxy that was not told of (%s)",
    async (name, { service, expect: check }) => {
      const headers = { [name]: "127.0.0.1" };
      for (const path of ["/v1/models", "/api/tags", "/v1/events"]) {
        check((await fetch(`${service.url}${path}`, { headers })).status, path).toBe(401);
        const made = { ...headers, ...bearer("sk-1") };
        check((await fetch(`${service.url}${path}`, { headers: made })).status, path).toBe(401);
      }
      check((await fetch(`${service.url}/docs`, { headers })).status).toBe(200);
      check((await fetch(`${service.url}/v1/models`)).status).toBe(200);
    },
  );

  test("nobody may where a token is required", async () => {
    await using service = await startService({ requireToken: true });
    expect((await fetch(`${service.url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${service.url}/v1/models`, { headers: bearer("sk-1") })).status).toBe(401);
    expect((await fetch(`${service.url}/openapi.json`)).status).toBe(200);
  });
});

describe("once there is a user", () => {
  test.for([
    "/v1/models",
    "/v1/models/none",
    "/api/tags",
    "/v1/events",
    "/metrics",
    "/nothing",
    "/docs/../v1/models",
  ])("%s needs a token", async (path, { service, expect: check }) => {
    await withToken(service.registry);
    const answer = await fetch(`${service.url}${path}`);
    check(answer.status).toBe(401);
    check(answer.headers.get("www-authenticate")).toBe(`Bearer realm="cortex"`);
    check(await answer.text()).toContain("unauthenticated");
  });

  test.for(["/", "/openapi.json", "/docs"])("%s is open to all", async (path, { service }) => {
    await withToken(service.registry);
    expect((await fetch(`${service.url}${path}`)).status).toBe(200);
  });

  test("a token opens what its user may see, at once and as long as it is good", async ({ service }) => {
    const { registry, url } = service;
    expect((await fetch(`${url}/v1/models`)).status).toBe(200);
    const token = await withToken(registry);
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${url}/v1/models`, { headers: bearer(token) })).status).toBe(200);
    expect((await fetch(`${url}/v1/models`, { headers: { authorization: `bearer  ${token}` } })).status).toBe(
      200,
    );
    const [record] = await registry.access.tokens.list();
    await registry.access.tokens.revoke(record!.tokenId);
    expect((await fetch(`${url}/v1/models`, { headers: bearer(token) })).status).toBe(401);
  });

  test("no other words open it", async ({ service }) => {
    const token = await withToken(service.registry);
    const changed = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
    for (const authorization of [
      token,
      `Basic ${token}`,
      `Bearer ${changed}`,
      "Bearer",
      `Bearer ${token} ${token}`,
      `Bearer "${token}"`,
      `Bearer ${token.slice(4)}`,
      `Bearer ${token.toUpperCase()}`,
    ]) {
      const answer = await fetch(`${service.url}/v1/models`, { headers: { authorization } });
      expect(answer.status, authorization).toBe(401);
      expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer realm="cortex"/);
      expect(await answer.text()).not.toContain(token);
    }
    expect((await fetch(`${service.url}/v1/models?access_token=${token}`)).status).toBe(401);
  });

  test("a change says whose it was, from where and in which request", async ({ service }) => {
    const token = await withToken(service.registry);
    const answer = await fetch(`${service.url}/v1/models`, {
      method: "POST",
      headers: { ...bearer(token), "content-type": "application/json", "x-request-id": "r-1" },
      body: JSON.stringify({ model_id: "a", source_type: "local" }),
    });
    expect(answer.status).toBe(201);
    const { items } = await service.registry.history.list({ modelId: "a" });
    expect(items).toMatchObject([{ actor: "ann", origin: { address: "127.0.0.1", requestId: "r-1" } }]);
  });

  test("a token is counted by itself, from wherever it comes", async () => {
    await using service = await startService({ requestsPerSecond: 1, trustProxy: ["private"] });
    const token = await withToken(service.registry);
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const headers = { ...bearer(token), "x-forwarded-for": `203.0.113.${index}` };
        return (await fetch(`${service.url}/v1/models`, { headers })).status;
      }),
    );
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
  });
});
