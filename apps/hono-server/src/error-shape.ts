import type { z } from "zod";

import { errorSchema, oldErrorSchema, ollamaErrorSchema } from "./schemas/error.ts";

/** A failure, as clients may know it. */
interface Failure {
  readonly code: string;
  readonly message: string;
  /** The input field at fault, in snake_case, where there is one. */
  readonly field?: string | undefined;
  /** 400 to 599. */
  readonly status: number;
  readonly requestId: string;
}

/** What failures look like to the clients of a path. */
interface ErrorShape {
  readonly schema: z.ZodType;
  readonly write: (failure: Failure) => object;
}

const OPENAI: ErrorShape = { schema: errorSchema, write: (failure) => ({ error: toErrorObject(failure) }) };

const OLD: ErrorShape = {
  schema: oldErrorSchema,
  write: (failure) => ({ error: toErrorObject(failure), message: failure.message }),
};

const OLLAMA: ErrorShape = {
  schema: ollamaErrorSchema,
  write: ({ message, code, requestId }) => ({ error: message, code, request_id: requestId }),
};

/** What failures look like at a path: clients of another program find them where that program has them. */
export function errorShapeOf(path: string): ErrorShape {
  if (/^\/api\/(?!v\d+\/)/.test(path)) return OLLAMA;
  return /^(?:\/v1)?\/models(?:\/|$)/.test(path) ? OLD : OPENAI;
}

function toErrorObject({ code, message, field, status, requestId }: Failure): object {
  return { code, message, type: typeOf(status), param: field ?? null, request_id: requestId };
}

// OpenAI's clients choose the class of an error by its status, and show its type.
function typeOf(status: number): string {
  if (status >= 500) return "server_error";
  if (status === 401) return "authentication_error";
  if (status === 403) return "permission_error";
  return status === 429 ? "rate_limit_error" : "invalid_request_error";
}
