import type { ErrorCode } from "@cortex/model-db";
import type { z } from "zod";

import type { JsonText } from "./answer/json-text.ts";
import type { RequestContext } from "./env.ts";
import type { HttpErrorCode } from "./errors.ts";
import type { RouteTag } from "./route-tags.ts";

/** What a route takes. */
export interface RouteRequest {
  /** Each is a text, decoded once; the last one may hold slashes. */
  readonly path?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  /** JSON. */
  readonly body?: z.ZodType;
  /** Whether a body is taken for JSON whatever its Content-Type says; some clients of Ollama say it is text. */
  readonly isAnyMediaType?: boolean;
  /** One JSON object per line, each as this says: the handler reads the lines itself. */
  readonly lines?: z.ZodType;
}

/** One answer of a route. */
export interface RouteResponse {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** `application/json` when left out; of `application/x-ndjson` the schema is that of a line. */
  readonly contentType?: string;
  readonly headers?: z.ZodObject;
  readonly example?: unknown;
}

/** How a route is asked. */
export type Method = "get" | "post" | "put" | "patch" | "delete";

/** A route: what it takes, what it answers, and what it does; the OpenAPI document is made of these. */
export interface Route<
  Verb extends Method = Method,
  Path extends `/${string}` = `/${string}`,
  Request extends RouteRequest = RouteRequest,
  Responses extends Readonly<Record<number, RouteResponse>> = Readonly<Record<number, RouteResponse>>,
> {
  readonly method: Verb;
  /** As OpenAPI writes it: `/v1/models/{model_id}`. */
  readonly path: Path;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: RouteTag;
  readonly request: Request;
  readonly responses: Responses;
  /** The failures that it can answer beside those that every route can. */
  readonly errors: readonly (ErrorCode | HttpErrorCode)[];
  readonly handle: (c: RequestContext, input: RouteInput<Request>) => Answer | Promise<Answer>;
  /**
   * Whether the answer is made of the models that the caller sees and of nothing else: then it is kept as long
   * as they stay as they are. Its handler answers with a {@link JsonText}.
   */
  readonly isKept?: boolean;
}

/** What a route's handler answers. */
export type Answer = Response | JsonText;

/** What a route's handler is given, checked. */
export interface RouteInput<Request extends RouteRequest> {
  readonly path: Parsed<Request["path"]>;
  readonly query: Parsed<Request["query"]>;
  readonly body: Parsed<Request["body"]>;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** A route, typed by what it takes and answers. */
export function route<
  const Verb extends Method,
  const Path extends `/${string}`,
  const Request extends RouteRequest,
  const Responses extends Readonly<Record<number, RouteResponse>>,
>(definition: Route<Verb, Path, Request, Responses>): Route<Verb, Path, Request, Responses> {
  return definition;
}
