import { describe, expect } from "vitest";

import { test } from "../harness.ts";
import { sendRaw } from "../raw-request.ts";

describe("a request's id", () => {
  test("is the client's where that is short and safe", async ({ service }) => {
    const answer = await fetch(`${service.url}/v1/models/none`, {
      headers: { "x-request-id": "req_1:a.b-C" },
    });
    expect(answer.headers.get("x-request-id")).toBe("req_1:a.b-C");
    expect(await answer.json()).toMatchObject({ error: { request_id: "req_1:a.b-C" } });
  });

  test.for(["", "a b", `{"level":"fatal"}`, "<script>", "a".repeat(65), "é", "${jndi:ldap://x}", "-rf"])(
    "is a new one instead of %j",
    async (given, { service, expect: check }) => {
      const bytes = `GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${given}\r\nConnection: close\r\n\r\n`;
      const { headers } = await sendRaw({ port: service.port, bytes });
      check(headers["x-request-id"]).toMatch(/^[0-9a-f]{12}-[0-9a-z]+$/);
    },
  );

  test("is in every answer, and never the same twice", async ({ service }) => {
    const ids = new Set<string>();
    for (const path of ["/v1/models", "/v1/models/none", "/openapi.json", "/nothing"]) {
      ids.add((await fetch(`${service.url}${path}`)).headers.get("x-request-id")!);
    }
    expect(ids.size).toBe(4);
    expect((await service.app.request("/v1/models")).headers.get("x-request-id")).toMatch(/^[0-9a-f]{12}-/);
  });
});
