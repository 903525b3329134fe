import type { NotFoundHandler } from "hono";

import type { Env } from "./env.ts";
import { HttpError, toErrorResponse } from "./errors.ts";
import { routesAt, type RoutePlace } from "./routes-at.ts";

// Where clients of OpenAI, Ollama and the old program ask a model something.
const INFERENCE =
  /^\/(?:v1\/(?:chat\/completions|completions|embeddings|responses)|api\/(?:chat|generate|embed|embeddings)|api\/v0\/(?:chat\/completions|completions|embeddings)|inferences\/.+)$/;

/**
 * Answers what no route does: a method that the path does not know is told those it does, in `Allow`
 * (RFC 9110, 10.2.1), and OPTIONS asks for just that.
 */
export function unknownPath(routes: readonly RoutePlace[]): NotFoundHandler<Env> {
  const at = routesAt(routes);
  return (c) => {
    const { method, path } = c.req;
    const found = at(path).map((route) => route.method);
    if (found.length === 0) {
      const message = INFERENCE.test(path)
        ? "This service keeps the registry of models and runs none. Ask the engine that runs the model."
        : `There is nothing at ${path}. What there is stands on the page /docs.`;
      return toErrorResponse(new HttpError("route_not_found", message), c);
    }
    const words = [...new Set(found), ...(found.includes("get") ? ["head"] : []), "options"];
    const allow = words.join(", ").toUpperCase();
    if (method === "OPTIONS") return c.body(null, 204, { allow });
    const message = `${method} is nothing that ${path} does; it does ${allow}.`;
    return toErrorResponse(new HttpError("method_not_allowed", message, { allow }), c);
  };
}
