import { isRegistryError, nearest, outcomeOf, toVisible, type ErrorCode } from "@cortex/model-db";

import { Declined, Interrupted, MisuseError } from "./errors.ts";
import { painter } from "./output/color.ts";
import { toLine } from "./output/json.ts";
import { OutputClosed, writeNote } from "./output/stream.ts";

/**
 * Says on standard error what went wrong, in one line and without a stack, and gives the exit code of
 * the process: 0 to 6. With `--json` the line is `{ "error": { "code", "message" } }`.
 */
export function report(error: unknown, argv: readonly string[]): number {
  if (error instanceof OutputClosed) return 0;
  if (error instanceof Interrupted) return 130;
  const { code, message, exitCode } = describe(error);
  if (argv.includes("--json")) {
    writeNote(toLine({ error: { code, message } }).trimEnd());
  } else {
    const paint = painter(2, argv.includes("--no-color") ? false : undefined);
    writeNote(`${paint("red", "cortex:")} ${message.split("\n").map(toVisible).join("\n")}`);
  }
  if (process.env["CORTEX_DEBUG"] && error instanceof Error) writeNote(error.stack ?? "");
  return exitCode;
}

interface Description {
  readonly code: string;
  readonly message: string;
  readonly exitCode: number;
}

// What the system says of a file that the command line names.
const SYSTEM_ERRORS: Readonly<Record<string, ErrorCode>> = {
  ENOENT: "not_found",
  EACCES: "permission_denied",
  EPERM: "permission_denied",
  EROFS: "read_only",
  ENOSPC: "disk_full",
  EISDIR: "invalid_input",
  ENOTDIR: "invalid_input",
  ENAMETOOLONG: "invalid_input",
  EIO: "io_error",
};

function describe(error: unknown): Description {
  if (error instanceof MisuseError) {
    const near = error.written === undefined ? undefined : nearest(error.written, error.among);
    const question = near === undefined ? "" : ` Did you mean ${near}?`;
    return { code: "invalid_input", message: `${error.message}${question}`, exitCode: 2 };
  }
  if (error instanceof Declined) return { code: "declined", message: error.message, exitCode: 1 };
  if (isRegistryError(error)) {
    return { code: error.code, message: error.message, exitCode: outcomeOf(error.code).exitCode };
  }
  const said = error instanceof Error ? error.message : String(error);
  const { code: systemCode = "" } = error as NodeJS.ErrnoException;
  if (Object.hasOwn(SYSTEM_ERRORS, systemCode)) {
    const code = SYSTEM_ERRORS[systemCode]!;
    return { code, message: said, exitCode: outcomeOf(code).exitCode };
  }
  return {
    code: "internal_error",
    message: `That should not have happened: ${said}. Please report it, with what CORTEX_DEBUG=1 adds to this message.`,
    exitCode: 1,
  };
}
