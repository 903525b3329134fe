import { describe, expect, test } from "vitest";

import { RateLimit } from "../../src/guard/rate-limit.ts";
import { startService } from "../harness.ts";

describe("a rate", () => {
  test("lets a burst through, then as many as it says", () => {
    const limit = new RateLimit({ perSecond: 10, burst: 5 });
    const times = [0, 0, 0, 0, 0, 0, 50, 100, 100, 200, 10_000];
    expect(times.map((now) => limit.take("a", 1000 + now).isAllowed)).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
      true,
      false,
      true,
      true,
    ]);
  });

  test("says how many are left, and how long to wait", () => {
    const limit = new RateLimit({ perSecond: 10, burst: 2 });
    expect(limit.take("a", 0)).toEqual({ isAllowed: true, remaining: 1, waitMs: 100 });
    expect(limit.take("a", 0)).toEqual({ isAllowed: true, remaining: 0, waitMs: 200 });
    expect(limit.take("a", 0)).toEqual({ isAllowed: false, remaining: 0, waitMs: 100 });
  });

  test("counts everybody apart, and remembers no more than it must", () => {
    const limit = new RateLimit({ perSecond: 1, burst: 1 });
    let allowed = 0;
    for (let client = 0; client < 25_000; client += 1) {
      if (limit.take(`client ${client}`, client).isAllowed) allowed += 1;
    }
    expect(allowed).toBe(25_000);
    expect(limit.size).toBeLessThanOrEqual(10_000);
    expect(limit.take("client 24999", 25_000).isAllowed).toBe(false);
  });
});

describe("too many requests from one address", () => {
  test("are refused with how long to wait, and others served", async () => {
    await using service = await startService({ requestsPerSecond: 2, trustProxy: ["private"] });
    const ask = async (address: string): Promise<Response> =>
      fetch(`${service.url}/v1/models`, { headers: { "x-forwarded-for": address } });
    // Many more than a slow machine lets through meanwhile.
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask("203.0.113.9")));
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(4);
    const refused = answers.find(({ status }) => status !== 200)!;
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ error: { code: "too_many_requests" } });
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.headers.get("ratelimit-policy")).toBe(`"default";q=4;w=2`);
    expect(refused.headers.get("ratelimit")).toBe(`"default";r=0;t=1`);
    expect((await ask("203.0.113.10")).status).toBe(200);
  });

  test.for([
    ["of a proxy on this machine that was not told of", [], "203.0.113.9"],
    ["of a client that says it is this machine", ["private"], "127.0.0.1"],
  ] as const)("are refused also %s", async ([, trustProxy, forwardedFor]) => {
    await using service = await startService({ requestsPerSecond: 1, trustProxy });
    const headers = { "x-forwarded-for": forwardedFor };
    const ask = async (): Promise<number> => (await fetch(`${service.url}/openapi.json`, { headers })).status;
    const statuses = await Promise.all(Array.from({ length: 40 }, ask));
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
  });

  test("are served where they come from this machine", async () => {
    await using service = await startService({ requestsPerSecond: 1 });
    for (let count = 0; count < 10; count += 1) {
      const answer = await fetch(`${service.url}/v1/models`);
      expect(answer.status).toBe(200);
      expect(answer.headers.has("ratelimit")).toBe(false);
    }
  });
});
