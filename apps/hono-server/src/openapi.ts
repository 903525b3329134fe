import type { ErrorCode } from "@cortex/model-db";
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponseObject } from "zod-openapi";

import { errorShapeOf } from "./error-shape.ts";
import { statusOf, type HttpErrorCode } from "./errors.ts";
import { ROUTE_TAGS } from "./route-tags.ts";
import type { RouteDescription, RouteRequest, RouteResponse } from "./route.ts";

// What can be wrong with any request, and with the service.
const EVERYWHERE = [
  "invalid_input",
  "malformed_request",
  "unauthenticated",
  "permission_denied",
  "forbidden_origin",
  "uri_too_long",
  "expectation_failed",
  "forbidden_host",
  // Said of what its headers say of a body, also where none is taken.
  "unsupported_media_type",
  "too_many_requests",
  "headers_too_large",
  "internal_error",
  "database_damaged",
  "io_error",
  "database_busy",
  "registry_closed",
  "too_busy",
] as const;
const WITH_BODY = ["request_timeout", "payload_too_large"] as const;
const CHANGING = ["read_only", "disk_full"] as const;

/** Every failure that a route can answer. */
export function failuresOf({
  method,
  request,
  errors,
}: Pick<RouteDescription, "method" | "request" | "errors">): (ErrorCode | HttpErrorCode)[] {
  const takesBody = request.body !== undefined || request.lines !== undefined;
  return [...EVERYWHERE, ...(takesBody ? WITH_BODY : []), ...(method === "get" ? [] : CHANGING), ...errors];
}

/** The OpenAPI 3.1 document of routes. */
export function openApiDocument(routes: readonly RouteDescription[]): ReturnType<typeof createDocument> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const each of routes) (paths[each.path] ??= {})[each.method] = operationOf(each);
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "Cortex model registry",
      version: "1",
      description:
        "What models there are, whether they run, and what happened to them. Times are Unix milliseconds, sizes bytes.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    tags: Object.entries(ROUTE_TAGS)
      .filter(([name]) => routes.some(({ tag }) => tag === name))
      .map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "An access token, `ctx_…`. A registry without users needs none.",
        },
      },
    },
    security: [{ token: [] }, {}],
  });
}

function operationOf({
  method,
  path,
  operationId,
  summary,
  description,
  tag,
  request,
  responses,
  errors,
}: RouteDescription): ZodOpenApiOperationObject {
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
    ...requestBodyOf(request),
    responses: {
      ...Object.fromEntries(
        Object.entries(responses).map(([status, response]) => [status, toResponse(response)]),
      ),
      ...toFailures(path, failuresOf({ method, request, errors })),
    },
  };
}

function requestBodyOf({ body, lines }: RouteRequest): Pick<ZodOpenApiOperationObject, "requestBody"> {
  if (body !== undefined)
    return { requestBody: { required: true, content: { "application/json": { schema: body } } } };
  if (lines === undefined) return {};
  return {
    requestBody: {
      required: true,
      description: "One JSON object per line.",
      content: { "application/x-ndjson": { schema: lines } },
    },
  };
}

function toResponse({
  description,
  schema,
  contentType = "application/json",
  headers,
  example,
}: RouteResponse): ZodOpenApiResponseObject {
  return {
    description,
    ...(headers === undefined ? {} : { headers }),
    ...(schema === undefined
      ? {}
      : { content: { [contentType]: { schema, ...(example === undefined ? {} : { example }) } } }),
  };
}

function toFailures(
  path: string,
  codes: readonly (ErrorCode | HttpErrorCode)[],
): Record<string, ZodOpenApiResponseObject> {
  const { schema, write } = errorShapeOf(path);
  const exampleOf = (code: ErrorCode | HttpErrorCode): object =>
    write({
      code,
      message: "What happened, to which thing, and what to do next.",
      status: statusOf(code),
      requestId: "0e8400e2-9b2f-41d4-a716-446655440000",
    });
  return Object.fromEntries(
    Array.from(Map.groupBy(new Set(codes), statusOf), ([status, known]) => [
      String(status),
      {
        description: known.map((code) => `\`${code}\``).join(", "),
        content: {
          "application/json": {
            schema,
            examples: Object.fromEntries(known.map((code) => [code, { value: exampleOf(code) }])),
          },
        },
      },
    ]),
  );
}
