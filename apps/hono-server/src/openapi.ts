import { createDocument, type ZodOpenApiOperationObject } from "zod-openapi";

import { errorShapeOf } from "./error-shape.ts";
import { statusOf } from "./errors.ts";
import type { Route } from "./route.ts";

/** What every route can answer. */
const EVERYWHERE = [
  "invalid_input",
  "unauthenticated",
  "permission_denied",
  "too_many_requests",
  "database_busy",
  "internal_error",
] as const;

/** The OpenAPI 3.1 document of routes. */
export function openApiDocument(routes: readonly Route[]): ReturnType<typeof createDocument> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const each of routes) (paths[each.path] ??= {})[each.method] = operationOf(each);
  return createDocument({
    openapi: "3.1.0",
    info: { title: "Cortex model registry", version: "1" },
    paths,
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    security: [{ token: [] }, {}],
  });
}

function operationOf({
  path,
  operationId,
  summary,
  description,
  tag,
  request,
  responses,
  errors,
}: Route): ZodOpenApiOperationObject {
  const failures = new Map<number, string[]>();
  for (const code of [...EVERYWHERE, ...errors]) {
    const status = statusOf(code);
    const codes = failures.get(status) ?? [];
    if (!codes.includes(code)) codes.push(code);
    failures.set(status, codes);
  }
  return {
    operationId,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    requestParams: {
      ...(request.path === undefined ? {} : { path: request.path }),
      ...(request.query === undefined ? {} : { query: request.query }),
      ...(request.headers === undefined ? {} : { header: request.headers }),
    },
    ...(request.body === undefined
      ? {}
      : { requestBody: { required: true, content: { "application/json": { schema: request.body } } } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(responses).map(
          ([status, { description: what, schema, contentType = "application/json", headers, example }]) => [
            status,
            {
              description: what,
              ...(headers === undefined ? {} : { headers }),
              ...(schema === undefined
                ? {}
                : { content: { [contentType]: { schema, ...(example === undefined ? {} : { example }) } } }),
            },
          ],
        ),
      ),
      ...Object.fromEntries(
        [...failures].map(([status, codes]) => [
          status,
          {
            description: codes.join(", "),
            content: { "application/json": { schema: errorShapeOf(path).schema } },
          },
        ]),
      ),
    },
  };
}
