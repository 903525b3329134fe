import { isRegistryError, nearest, outcomeOf, toVisible, type ErrorCode } from "@cortex/model-db";

import { adviceOn } from "./advice.ts";
import { Declined, Interrupted, MisuseError } from "./errors.ts";
import { painter } from "./output/color.ts";
import { toLine } from "./output/json.ts";
import { OutputClosed, OutputFailed, writeNote } from "./output/stream.ts";
import { quote } from "./values.ts";

/**
 * Says on standard error what went wrong, in one line and without a stack, and gives the exit code of
 * the process: 0 to 6. With `--json` the line is `{ "error": { "code", "message" } }`.
 */
export function report(error: unknown, argv: readonly string[]): number {
  if (error instanceof OutputClosed) return 0;
  if (error instanceof Interrupted) return 130;
  const { code, message, exitCode } = describe(error, argv);
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
const SYSTEM_ERRORS: Readonly<Record<string, readonly [code: ErrorCode, says: string]>> = {
  ENOENT: ["not_found", "there is no such file or folder"],
  EACCES: ["permission_denied", "you may not do that: check its rights and those of its folder"],
  EPERM: ["permission_denied", "you may not do that: check its rights and those of its folder"],
  EROFS: ["read_only", "its file system is read-only"],
  ENOSPC: ["disk_full", "there is no space left: free some, or name a file elsewhere"],
  EISDIR: ["invalid_input", "that is a folder: name a file"],
  ENOTDIR: ["invalid_input", "a part of its path is no folder"],
  ENAMETOOLONG: ["invalid_input", "the name is too long"],
  EIO: ["io_error", "the disk failed to read or write it"],
};

function describe(error: unknown, argv: readonly string[]): Description {
  if (error instanceof MisuseError) {
    const near = error.written === undefined ? undefined : nearest(error.written, error.among);
    const question = near === undefined ? "" : ` Did you mean ${near}?`;
    return { code: "invalid_input", message: `${error.message}${question}`, exitCode: 2 };
  }
  if (error instanceof Declined) return { code: "declined", message: error.message, exitCode: 1 };
  if (isRegistryError(error)) {
    const { exitCode } = outcomeOf(error.code);
    const message = [error.message, adviceOn(error, argv)].filter((part) => part !== undefined).join(" ");
    return { code: error.code, message, exitCode };
  }
  if (error instanceof OutputFailed) {
    const { code: systemCode = "", message } = error.cause as NodeJS.ErrnoException;
    const [code, says] = SYSTEM_ERRORS[systemCode] ?? ["io_error", message];
    return {
      code,
      message: `Standard output cannot be written: ${says}.`,
      exitCode: outcomeOf(code).exitCode,
    };
  }
  const said = error instanceof Error ? error.message : String(error);
  const { code: systemCode = "", path } = error as NodeJS.ErrnoException;
  if (Object.hasOwn(SYSTEM_ERRORS, systemCode)) {
    const [code, says] = SYSTEM_ERRORS[systemCode]!;
    const message = path === undefined ? said : `${quote(path)}: ${says}.`;
    return { code, message, exitCode: outcomeOf(code).exitCode };
  }
  return {
    code: "internal_error",
    message: `That should not have happened: ${said}. Please report it, with what CORTEX_DEBUG=1 adds to this message.`,
    exitCode: 1,
  };
}
