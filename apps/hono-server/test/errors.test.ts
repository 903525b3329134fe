import { closeSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";

import { describe, expect } from "vitest";

import { mount } from "../src/mount.ts";
import { route } from "../src/route.ts";
import { errorSchema } from "../src/schemas/error.ts";
import { test } from "./harness.ts";

/** What a client may never learn: where files are, what the code and the queries are. */
const SECRETS = /registry\.db|\/tmp|\/src\/|node_modules|\bat \S+ \(|select |insert |from "|sqlite|SQLITE/i;

async function expectSilence(answer: Response, status: number, code: string): Promise<void> {
  const text = await answer.text();
  expect(text).not.toMatch(SECRETS);
  expect(JSON.stringify([...answer.headers])).not.toMatch(SECRETS);
  expect(answer.status).toBe(status);
  const { error } = errorSchema.parse(JSON.parse(text));
  expect(error.code).toBe(code);
  expect(error.request_id).toBe(answer.headers.get("x-request-id"));
}

describe("of a failure that nobody expected a client learns its request's id and nothing else", () => {
  test("when the code is wrong", async ({ service }) => {
    mount(
      service.app,
      route({
        method: "get",
        path: "/broken",
        operationId: "broken",
        summary: "",
        tag: "models",
        request: {},
        responses: {},
        errors: [],
        handle: () => {
          throw new Error(`no such column in select * from model at ${service.registry.location}`);
        },
      }),
    );
    await expectSilence(await fetch(`${service.url}/broken`), 500, "internal_error");
  });

  test("when the registry is closed", async ({ service }) => {
    await service.registry.close();
    await expectSilence(await fetch(`${service.url}/v1/models`), 503, "registry_closed");
  });

  test("when the registry's file is damaged", async ({ service }) => {
    const { registry, url } = service;
    const models = Array.from({ length: 200 }, (_, index) => ({
      modelId: `model ${index}`,
      sourceType: "local" as const,
      notes: "n".repeat(2000),
    }));
    await registry.models.createMany(models);
    for (const suffix of ["", "-wal"]) overwrite(`${registry.location}${suffix}`);
    const answers = await Promise.all(
      models.slice(0, 50).map(({ modelId }) => fetch(`${url}/v1/models/${encodeURIComponent(modelId)}`)),
    );
    const broken = answers.filter(({ status }) => status !== 200);
    expect(broken.length).toBeGreaterThan(0);
    for (const answer of broken) {
      await expectSilence(
        answer,
        answer.status,
        JSON.parse(await answer.clone().text()).error.code as string,
      );
    }
  });
});

/** Leaves the first page, and nothing else. */
function overwrite(path: string): void {
  const { size } = statSync(path);
  const file = openSync(path, "r+");
  writeSync(file, Buffer.alloc(Math.max(0, size - 4096), 0xa5), 0, undefined, 4096);
  ftruncateSync(file, size);
  closeSync(file);
}
