import { describe, expect } from "vitest";

import { checkedFetch } from "../../checked-fetch.ts";
import { test } from "../../harness.ts";

describe("GET /healthz", () => {
  test("200: it is alive, also where its registry is not", async ({ service }) => {
    const answer = await checkedFetch(`${service.url}/healthz`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.json()).toEqual({ status: "alive" });
    await service.registry.close();
    expect((await checkedFetch(`${service.url}/healthz`)).status).toBe(200);
  });
});
