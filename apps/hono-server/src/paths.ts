import type { z } from "zod";

import type { Method, RouteDescription, RouteRequest, RouteResponse } from "./route.ts";
import type { NATIVE_ROUTES } from "./routes/native.ts";
import type { errorSchema } from "./schemas/error.ts";

type Native = (typeof NATIVE_ROUTES)[number];

/** The service in the form in which `openapi-typescript` would write it, derived from the routes. */
export type Paths = { [Path in Native["path"]]: PathItem<Extract<Native, { path: Path }>> };

type PathItem<Each extends Pick<Native, "method">> = {
  [Verb in Each["method"]]: Extract<Each, { method: Verb }> extends RouteDescription<
    Method,
    `/${string}`,
    infer Request,
    infer Responses
  >
    ? Operation<Request, Responses>
    : never;
} & { [Verb in Exclude<Method, Each["method"]>]?: never };

type Operation<
  Request extends RouteRequest,
  Responses extends Readonly<Record<number, RouteResponse>>,
> = Body<Request> & {
  parameters: Parameter<"path", Request["path"]> &
    Parameter<"query", Request["query"]> &
    Parameter<"header", Request["headers"]>;
  responses: { [Status in keyof Responses & number]: Answer<Responses[Status]> } & {
    default: { headers: object; content: { "application/json": z.output<typeof errorSchema> } };
  };
};

type Body<Request extends RouteRequest> = Request extends { body: infer Schema extends z.ZodType }
  ? { requestBody: { content: { "application/json": z.input<Schema> } } }
  : Request extends { lines: z.ZodType }
    ? { requestBody: { content: { "application/x-ndjson": string | ReadableStream<Uint8Array> } } }
    : { requestBody?: never };

type Parameter<Place extends string, Schema> = Schema extends z.ZodType
  ? z.input<Schema> extends Record<string, never>
    ? { [Each in Place]?: never }
    : object extends z.input<Schema>
      ? { [Each in Place]?: z.input<Schema> }
      : { [Each in Place]: z.input<Schema> }
  : { [Each in Place]?: never };

type Answer<Response extends RouteResponse> = {
  headers: object;
  content: Response extends { schema: infer Schema extends z.ZodType }
    ? { [Type in ContentType<Response>]: z.output<Schema> }
    : never;
};

type ContentType<Response extends RouteResponse> = Response extends { contentType: infer Type extends string }
  ? Type
  : "application/json";
