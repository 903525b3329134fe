import { describe, expect } from "vitest";

import { startService, test } from "../harness.ts";
import { sendRaw } from "../raw-request.ts";

const DASHBOARD = "https://dashboard.example";

describe("a page of another site", () => {
  test.for([
    ["that reads", "GET", { origin: "https://evil.example" }],
    ["that writes", "POST", { origin: "https://evil.example", "content-type": "text/plain" }],
    ["in a sandbox", "GET", { origin: "null" }],
    ["on another port of this machine", "GET", { origin: "http://127.0.0.1:1" }],
    [
      "that asks whether it may",
      "OPTIONS",
      { origin: "https://evil.example", "access-control-request-method": "PUT" },
    ],
    ["that loads it as a script", "GET", { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" }],
  ] as const)("%s is refused", async ([, method, headers], { service, expect: check }) => {
    const answer = await fetch(`${service.url}/v1/models`, { method, headers });
    check(answer.status).toBe(403);
    check(await answer.json()).toMatchObject({ error: { code: "forbidden_origin" } });
    check(answer.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("may lead here by a link", async ({ service }) => {
    // Over a socket, since `fetch` has its own mind about these headers.
    const bytes =
      "GET /v1/models HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n\r\n";
    expect(await sendRaw({ port: service.port, bytes })).toMatchObject({ status: 200 });
  });
});

describe("a page of ours", () => {
  test("is answered", async ({ service }) => {
    const headers = { origin: service.url, "sec-fetch-site": "same-origin" };
    expect((await fetch(`${service.url}/v1/models`, { headers })).status).toBe(200);
  });
});

describe("an origin that is allowed", () => {
  test("is answered, and its browser told so, also of failures", async () => {
    await using service = await startService({ corsOrigins: [DASHBOARD] });
    for (const [path, status] of [
      ["/v1/models", 200],
      ["/v1/models/none", 404],
    ] as const) {
      const answer = await fetch(`${service.url}${path}`, { headers: { origin: DASHBOARD } });
      expect(answer.status).toBe(status);
      expect(answer.headers.get("access-control-allow-origin")).toBe(DASHBOARD);
      expect(answer.headers.get("vary")).toBe("origin");
      expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
    }
  });

  test("may ask whether it may write", async () => {
    await using service = await startService({ corsOrigins: [DASHBOARD] });
    const answer = await fetch(`${service.url}/v1/models/a`, {
      method: "OPTIONS",
      headers: { origin: DASHBOARD, "access-control-request-method": "PATCH" },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-methods")).toContain("PATCH");
  });

  test("may send the headers that its clients have, such as those of OpenAI", async () => {
    await using service = await startService({ corsOrigins: [DASHBOARD] });
    const wanted = "authorization,x-stainless-os,x-stainless-retry-count";
    const answer = await fetch(`${service.url}/v1/models`, {
      method: "OPTIONS",
      headers: {
        origin: DASHBOARD,
        "access-control-request-method": "GET",
        "access-control-request-headers": wanted,
      },
    });
    expect(answer.headers.get("access-control-allow-headers")).toBe(wanted);
  });

  test("may read whatever an answer says of itself", async () => {
    await using service = await startService({ corsOrigins: [DASHBOARD] });
    const answer = await fetch(`${service.url}/v1/models`, { headers: { origin: DASHBOARD } });
    expect(answer.headers.get("access-control-expose-headers")).toBe("*");
  });

  test.for([
    "https://dashboard.example.evil",
    "http://dashboard.example",
    "https://dashboard.example:8443",
    "https://DASHBOARD.example",
  ])("is meant letter by letter: not %s", async (origin) => {
    await using service = await startService({ corsOrigins: [DASHBOARD] });
    expect((await fetch(`${service.url}/v1/models`, { headers: { origin } })).status).toBe(403);
  });
});
