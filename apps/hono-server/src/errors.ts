import { isRegistryError, outcomeOf, toVisible, type ErrorCode, type RegistryError } from "@cortex/model-db";

import type { RequestContext } from "./env.ts";
import { errorShapeOf } from "./error-shape.ts";

/** Failures that only a service knows. Those of the registry have their status in its own table. */
const HTTP_CODES = {
  malformed_request: 400,
  model_not_running: 400,
  forbidden_origin: 403,
  route_not_found: 404,
  method_not_allowed: 405,
  idempotency_key_in_use: 409,
  request_timeout: 408,
  missing_field: 409,
  precondition_failed: 412,
  payload_too_large: 413,
  uri_too_long: 414,
  unsupported_media_type: 415,
  expectation_failed: 417,
  forbidden_host: 421,
  idempotency_key_reused: 422,
  too_many_requests: 429,
  headers_too_large: 431,
  too_busy: 503,
  shutting_down: 503,
  internal_error: 500,
} as const;

/** One word of the closed set of failures of the service. */
export type HttpErrorCode = keyof typeof HTTP_CODES;

/** An expected failure of a request; its message is for the client. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly code: HttpErrorCode;
  /** Headers that belong to the answer, such as `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: HttpErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

/** The status of a failure: 400 to 599. */
export function statusOf(code: ErrorCode | HttpErrorCode): number {
  return code in HTTP_CODES ? HTTP_CODES[code as HttpErrorCode] : outcomeOf(code as ErrorCode).httpStatus;
}

/** The answer to a request that failed, for Hono. */
export function toErrorResponse(error: unknown, c: RequestContext): Response {
  const { body, ...init } = toErrorAnswer(error, c.get("requestId"), c.req.path);
  return new Response(body, init);
}

/**
 * The answer to a request that failed. Of a failure that nobody expected the client learns the request's
 * id and nothing else.
 *
 * @param path of the request.
 */
export function toErrorAnswer(
  error: unknown,
  requestId: string,
  path: string,
): { status: number; headers: Record<string, string>; body: string } {
  const { code, headers } = toPublicError(error);
  return {
    status: statusOf(code),
    headers: { "content-type": "application/json", ...headers, "x-request-id": requestId },
    body: JSON.stringify(toErrorBody(error, requestId, path)),
  };
}

/**
 * What is said of a failure: {@link toErrorAnswer} without the answer around it.
 *
 * @param path where it happened, by which clients of another program are known; none where no request was
 *   understood.
 */
export function toErrorBody(error: unknown, requestId: string, path: string = ""): object {
  const { headers: _, ...failure } = toPublicError(error);
  return errorShapeOf(path).write({ ...failure, status: statusOf(failure.code), requestId });
}

/** Whether a failure is the client's to know as it is, and no trouble of the service. */
export function isForClient(error: unknown): error is HttpError | RegistryError {
  if (error instanceof HttpError) return true;
  // Of a source that did not answer as it should, whoever named it is told how.
  return isRegistryError(error) && (statusOf(error.code) < 500 || error.code === "source_unreachable");
}

/** What a client may know of a failure. What a request had in it, which messages repeat, is made visible. */
export function toPublicError(error: unknown): {
  code: ErrorCode | HttpErrorCode;
  message: string;
  field?: string | undefined;
  headers: Readonly<Record<string, string>>;
} {
  if (isForClient(error)) {
    const { code, message } = error;
    const more =
      error instanceof HttpError ? { headers: error.headers } : { field: error.field, headers: {} };
    return { code, message: toVisible(message), ...more };
  }
  // Messages about the store name paths of the machine.
  if (isRegistryError(error)) {
    return {
      code: error.code,
      message: "The registry cannot do that now; its operator can see why in the log.",
      // Another program writes, or another file takes this one's place: that passes.
      headers: statusOf(error.code) === 503 ? { "retry-after": "1" } : {},
    };
  }
  return {
    code: "internal_error",
    message: "Something went wrong here. The log has it under this request_id.",
    headers: {},
  };
}
