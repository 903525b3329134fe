import type { ErrorCode, GuardedRegistry } from "@cortex/model-db";
import type { z } from "zod";

import type { Answer } from "./answer/answer.ts";
import type { JsonText } from "./answer/json-text.ts";
import type { RequestContext, Target } from "./env.ts";
import type { HttpErrorCode } from "./errors.ts";
import type { Asked } from "./guard/asked.ts";
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

/** What a route takes and answers; the OpenAPI document is made of these. */
export interface RouteDescription<
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
}

/** A route that does something. */
export interface HandledRoute<
  Verb extends Method = Method,
  Path extends `/${string}` = `/${string}`,
  Request extends RouteRequest = RouteRequest,
  Responses extends Readonly<Record<number, RouteResponse>> = Readonly<Record<number, RouteResponse>>,
> extends RouteDescription<Verb, Path, Request, Responses> {
  readonly handle: (c: RequestContext, input: RouteInput<Request>) => Response | Promise<Response>;
}

/**
 * A route whose answer is made of the models that the caller sees and of nothing else: it is kept as long as
 * they stay as they are.
 */
export interface KeptRoute<
  Path extends `/${string}` = `/${string}`,
  Request extends KeptRouteRequest = KeptRouteRequest,
  Responses extends Readonly<Record<number, RouteResponse>> = Readonly<Record<number, RouteResponse>>,
> extends RouteDescription<"get", Path, Request, Responses> {
  /** Makes the answer. */
  readonly read: (caller: GuardedRegistry, input: RouteInput<Request>, target: Target) => Promise<JsonText>;
}

/** What a route takes whose answer is kept; of the headers it knows `If-None-Match` alone. */
export type KeptRouteRequest = Pick<RouteRequest, "path" | "query" | "headers">;

/** A route that changes something, and needs no more for it than its input, who asks and a header or two. */
export interface ChangingRoute<
  Verb extends Exclude<Method, "get"> = Exclude<Method, "get">,
  Path extends `/${string}` = `/${string}`,
  Request extends ChangingRouteRequest = ChangingRouteRequest,
  Responses extends Readonly<Record<number, RouteResponse>> = Readonly<Record<number, RouteResponse>>,
> extends RouteDescription<Verb, Path, Request, Responses> {
  /** Makes the change, and says what came of it. */
  readonly change: (
    caller: GuardedRegistry,
    input: RouteInput<Request>,
    asked: Pick<Asked, "header">,
  ) => Promise<Answer>;
}

/** What a route takes that changes something. */
export type ChangingRouteRequest = Pick<RouteRequest, "path" | "headers" | "body">;

export type Route = HandledRoute | KeptRoute | ChangingRoute;

/** What a route's handler is given, checked. */
interface RouteInput<Request extends RouteRequest> {
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
>(definition: HandledRoute<Verb, Path, Request, Responses>): HandledRoute<Verb, Path, Request, Responses> {
  return definition;
}

/** A route whose answers are kept, typed likewise. */
export function keptRoute<
  const Path extends `/${string}`,
  const Request extends KeptRouteRequest,
  const Responses extends Readonly<Record<number, RouteResponse>>,
>(definition: KeptRoute<Path, Request, Responses>): KeptRoute<Path, Request, Responses> {
  return definition;
}

/** A route that changes something, typed likewise. */
export function changingRoute<
  const Verb extends Exclude<Method, "get">,
  const Path extends `/${string}`,
  const Request extends ChangingRouteRequest,
  const Responses extends Readonly<Record<number, RouteResponse>>,
>(definition: ChangingRoute<Verb, Path, Request, Responses>): ChangingRoute<Verb, Path, Request, Responses> {
  return definition;
}
