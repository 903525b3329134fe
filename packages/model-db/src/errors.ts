/**
 * The closed set of error codes, and what each means outside the library: one table, so that a
 * terminal and an HTTP service cannot disagree about the same failure.
 */
const CODES = {
  invalid_input: { httpStatus: 400, exitCode: 2 },
  unauthenticated: { httpStatus: 401, exitCode: 5 },
  permission_denied: { httpStatus: 403, exitCode: 5 },
  model_not_found: { httpStatus: 404, exitCode: 3 },
  not_found: { httpStatus: 404, exitCode: 3 },
  name_taken: { httpStatus: 409, exitCode: 4 },
  model_running: { httpStatus: 409, exitCode: 4 },
  lease_lost: { httpStatus: 409, exitCode: 4 },
  row_version_mismatch: { httpStatus: 412, exitCode: 4 },
  checksum_mismatch: { httpStatus: 422, exitCode: 1 },
  not_a_registry: { httpStatus: 500, exitCode: 1 },
  schema_too_new: { httpStatus: 500, exitCode: 1 },
  schema_too_old: { httpStatus: 500, exitCode: 1 },
  database_damaged: { httpStatus: 500, exitCode: 6 },
  read_only: { httpStatus: 500, exitCode: 5 },
  disk_full: { httpStatus: 507, exitCode: 1 },
  database_busy: { httpStatus: 503, exitCode: 1 },
  registry_closed: { httpStatus: 503, exitCode: 1 },
  unsupported_node: { httpStatus: 500, exitCode: 2 },
  io_error: { httpStatus: 500, exitCode: 1 },
  source_unreachable: { httpStatus: 502, exitCode: 1 },
} as const;

/** One word of the closed set of failures. */
export type ErrorCode = keyof typeof CODES;

/** What an error code becomes at the edges: an HTTP status (100 to 599) and a process exit code (1 to 6). */
export function outcomeOf(code: ErrorCode): { httpStatus: number; exitCode: number } {
  return CODES[code];
}

/**
 * An expected failure. Its message says what happened, to which thing, and what to do next; it is
 * meant for people and never holds a stack, a secret or SQL. Anything else that is thrown is a bug.
 */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly code: ErrorCode;
  /** The input field at fault, in snake_case, where there is one. */
  readonly field: string | undefined;

  constructor(code: ErrorCode, message: string, options: { field?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.field = options.field;
  }
}

/** True for a {@link RegistryError}, also one from another copy of this package. */
export function isRegistryError(error: unknown): error is RegistryError {
  return error instanceof Error && error.name === "RegistryError" && "code" in error;
}

/** An `invalid_input` about one field. */
export function invalidInput(field: string, message: string): RegistryError {
  return new RegistryError("invalid_input", message, { field });
}
