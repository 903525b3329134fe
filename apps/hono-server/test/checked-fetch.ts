import { expect } from "vitest";
import { z } from "zod";

import { errorShapeOf } from "../src/error-shape.ts";
import { statusOf } from "../src/errors.ts";
import { failuresOf } from "../src/openapi.ts";
import type { Route } from "../src/route.ts";
import { ROUTES } from "../src/routes/index.ts";

/**
 * `fetch` that holds every answer against the route's own documentation: its status, its content type, its
 * headers and, for JSON, its body.
 */
export async function checkedFetch(input: Request | string | URL, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const answer = await fetch(request);
  const route = routeOf(request);
  if (route !== undefined) await expectDocumented(route, answer.clone());
  return answer;
}

function routeOf({ method, url }: Request): Route | undefined {
  const path = url.replace(/^[^/]+\/\/[^/]+/, "").replace(/\?.*$/s, "");
  return ROUTES.find(
    (route) =>
      route.method === method.toLowerCase() &&
      new RegExp(`^${route.path.replace(/\{\w+\}$/, ".+").replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path),
  );
}

async function expectDocumented(route: Route, answer: Response): Promise<void> {
  const where = `${route.operationId} ${answer.status}`;
  const response = route.responses[answer.status];
  if (response === undefined) {
    const failure = failureIn(strict(errorShapeOf(route.path).schema).parse(await answer.json()));
    expect(failuresOf(route), where).toContain(failure.code);
    expect(statusOf(failure.code as never), where).toBe(answer.status);
    expect(answer.headers.get("x-request-id"), where).toBe(failure.request_id);
    return;
  }
  for (const [name, schema] of Object.entries(response.headers?.shape ?? {})) {
    if (!(schema instanceof z.ZodOptional))
      expect(answer.headers.get(name), `${where} ${name}`).not.toBeNull();
  }
  if (response.schema === undefined) {
    expect(await answer.text(), where).toBe("");
    return;
  }
  const { contentType = "application/json" } = response;
  expect(answer.headers.get("content-type"), where).toBe(contentType);
  if (contentType === "application/json") strict(response.schema).parse(await answer.json());
  if (contentType === "application/x-ndjson") {
    for (const line of (await answer.text()).split("\n")) {
      if (line !== "") strict(response.schema).parse(JSON.parse(line));
    }
  }
}

interface Failure {
  code: string;
  request_id: string;
}

// To clients of Ollama the error is a text, and the rest stands beside it.
function failureIn(body: unknown): Failure {
  const { error } = body as { error: string | Failure };
  return typeof error === "string" ? (body as Failure) : error;
}

// What the documentation does not name must not be there, unless it says that anything may be.
function strict(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodObject && schema.def.catchall === undefined ? schema.strict() : schema;
}
