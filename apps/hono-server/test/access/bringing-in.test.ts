import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { NewGrant, Right } from "@cortex/model-db";
import { llamaFile } from "@cortex/test-models";
import { describe, expect } from "vitest";

import { test, type FetchingService } from "../fetching-service.ts";

type Ask = (path: string, body: object) => Promise<{ status: number; text: string }>;

/** Asks as somebody who may do what is given. */
async function somebody(
  { registry, url }: FetchingService,
  grants: readonly NewGrant[],
  scopes?: readonly Right[],
): Promise<Ask> {
  await registry.access.users.create({ name: "ann", grants });
  const { token } = await registry.access.tokens.create("ann", scopes === undefined ? {} : { scopes });
  return async (path, body) => {
    const answer = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: answer.status, text: await answer.text() };
  };
}

describe.for([
  { name: "who only reads", grants: [{ role: "reader" }], scopes: undefined },
  { name: "whose token is for reading", grants: [{ role: "admin" }], scopes: ["read"] },
] as const)("somebody $name", ({ grants, scopes }) => {
  test("has no hub asked", async ({ service }) => {
    const ask = await somebody(service, grants, scopes);
    for (const [path, body] of [
      ["/v1/transfers", { reference: "org/repo" }],
      ["/v1/models/pull", { model: "org/repo" }],
      ["/api/pull", { model: "org/repo" }],
    ] as const) {
      const { status, text } = await ask(path, body);
      expect(status, path).toBe(403);
      expect(text, path).toContain(String.raw`Fetching models needs the right \"run\"`);
    }
    expect(service.remote.requests).toEqual([]);
  });

  test("does not learn which files there are to import", async ({ service }) => {
    const ask = await somebody(service, grants, scopes);
    mkdirSync(service.imports);
    writeFileSync(join(service.imports, "a.gguf"), llamaFile());
    for (const name of ["a.gguf", "none.gguf"]) {
      const body = { model: "a", modelPath: join(service.imports, name) };
      const { status, text } = await ask("/v1/models/import", body);
      expect(status, name).toBe(403);
      expect(text, name).toContain(String.raw`Importing models needs the right \"change\"`);
    }
  });
});

test("somebody who may fetch some models asks the hub which one is meant", async ({ service }) => {
  const ask = await somebody(service, [{ role: "operator", pattern: "org:*" }]);
  expect(await ask("/v1/transfers", { reference: "org/repo" })).toMatchObject({ status: 201 });
  expect(service.remote.requests).not.toEqual([]);
  service.remote.commit("elsewhere/repo", { "m.gguf": llamaFile() });
  const refused = await ask("/v1/transfers", { reference: "elsewhere/repo" });
  expect(refused.status).toBe(403);
  expect(refused.text).toContain('Fetching \\"elsewhere:repo:m.gguf\\" needs');
});
