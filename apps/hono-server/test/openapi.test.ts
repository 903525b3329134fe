import { dereference, validate } from "@readme/openapi-parser";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "vitest";

import { ROUTES } from "../src/routes/index.ts";
import { NATIVE_ROUTES } from "../src/routes/native.ts";
import { test } from "./harness.ts";

const NATIVE = new Set<string>(NATIVE_ROUTES.map(({ operationId }) => operationId));

interface MediaType {
  schema: object;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}
interface Operation {
  operationId: string;
  parameters?: { name: string }[];
  responses: Record<string, { description: string; content?: Record<string, MediaType> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
}

async function documentOf(url: string): Promise<Document> {
  const answer = await fetch(`${url}/openapi.json`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Document;
}

test("the document is valid OpenAPI 3.1", async ({ service }) => {
  const document = await documentOf(service.url);
  expect(document.openapi).toMatch(/^3\.1\./);
  const result = await validate(document as never);
  expect(result).toMatchObject({ valid: true });
});

test("the document has every route, under an id of its own", async ({ service }) => {
  const { paths } = await documentOf(service.url);
  const ids = Object.values(paths).flatMap((item) =>
    Object.values(item).map(({ operationId }) => operationId),
  );
  expect(ids.toSorted()).toEqual(ROUTES.map(({ operationId }) => operationId).toSorted());
  expect(new Set(ids).size).toBe(ids.length);
});

test("answers to what is done once document that they are replayed", async ({ service }) => {
  const { paths } = await documentOf(service.url);
  for (const path of ["/v1/models", "/v1/runs"]) {
    expect(paths[path]!["post"]!.responses["201"], path).toMatchObject({
      headers: { "Idempotent-Replayed": { schema: { const: "true" } } },
    });
  }
});

test("every answer of the registry itself has an example, and each example is as its schema says", async ({
  service,
}) => {
  const document = (await dereference((await documentOf(service.url)) as never)) as unknown as Document;
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  for (const item of Object.values(document.paths)) {
    for (const { operationId, responses } of Object.values(item)) {
      for (const [status, { content = {} }] of Object.entries(responses)) {
        for (const [type, { schema, example, examples = {} }] of Object.entries(content)) {
          const all = [
            ...(example === undefined ? [] : [example]),
            ...Object.values(examples).map(({ value }) => value),
          ];
          const where = `${operationId} ${status} ${type}`;
          if (NATIVE.has(operationId) && type.includes("json"))
            expect(all.length, `${where} has an example`).toBeGreaterThan(0);
          for (const each of all) {
            ajv.validate(schema, each);
            expect(ajv.errorsText(), where).toBe("No errors");
          }
        }
      }
    }
  }
});
