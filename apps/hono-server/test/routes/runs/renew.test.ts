import { describe, expect } from "vitest";

import { checkedFetch } from "../../checked-fetch.ts";
import { test as base } from "../../harness.ts";

const test = base.extend<{ token: number }>({
  token: async ({ service }, use) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    await use((await service.registry.runs.acquire("a", { holder: "h", ttlMs: 5000 })).token);
  },
});

describe("PATCH /v1/runs/{token}", () => {
  test("200: it holds longer, as long as before when nothing is said", async ({ service, token }) => {
    const { data } = await service.client.PATCH("/v1/runs/{token}", {
      params: { path: { token: String(token) } },
      body: { ttl_ms: 60_000 },
    });
    expect(data).toMatchObject({ token, ttl_ms: 60_000 });
    const again = await checkedFetch(`${service.url}/v1/runs/${token}`, { method: "PATCH" });
    expect(await again.json()).toMatchObject({ ttl_ms: 60_000 });
  });

  test("204: where the client prefers no body", async ({ service, token }) => {
    const { response } = await service.client.PATCH("/v1/runs/{token}", {
      params: { path: { token: String(token) }, header: { Prefer: "return=minimal" } },
      body: {},
    });
    expect(response.status).toBe(204);
  });

  test.for(["0", "-1", "1.5", "x", "99999999999999999999"])(
    "400: %s is no token",
    async (text, { service }) => {
      const answer = await checkedFetch(`${service.url}/v1/runs/${text}`, { method: "PATCH" });
      expect(answer.status).toBe(400);
    },
  );

  test("409: it holds no longer", async ({ service, token }) => {
    await service.registry.runs.release(token);
    const answer = await checkedFetch(`${service.url}/v1/runs/${token}`, { method: "PATCH" });
    expect(await answer.json()).toMatchObject({ error: { code: "lease_lost" } });
  });
});
