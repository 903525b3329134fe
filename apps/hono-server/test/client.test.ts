import { readFileSync } from "node:fs";

import { expect } from "vitest";

import { createClient } from "../src/client.ts";
import { test } from "./harness.ts";

test("the client brings nothing of the server with it", () => {
  const source = readFileSync(new URL("../src/client.ts", import.meta.url), "utf8");
  const imported = Array.from(
    source.matchAll(/^import (?!type )[^;]*? from "([^"]+)"/gms),
    ([, name]) => name,
  );
  expect(imported).toEqual(["openapi-fetch"]);
});

test("the client says who asks, and sends lines as they are", async ({ service }) => {
  const asked: Request[] = [];
  const client = createClient({
    url: service.url,
    token: "ctx_secret",
    fetch: async (request) => {
      asked.push(request.clone());
      return fetch(request);
    },
  });
  await service.registry.access.users.create({ name: "ann", grants: [{ role: "reader" }] });
  const { error } = await client.POST("/v1/models:bulk-delete", {
    headers: { "content-type": "application/x-ndjson" },
    body: '{"model_id":"a"}\n{"model_id":"b"}\n',
  });
  expect(error?.error.code).toBe("unauthenticated");
  expect(asked[0]?.headers.get("authorization")).toBe("Bearer ctx_secret");
  expect(await asked[0]?.text()).toBe('{"model_id":"a"}\n{"model_id":"b"}\n');
});
