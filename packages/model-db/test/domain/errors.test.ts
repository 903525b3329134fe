import { describe, expect, test } from "vitest";

import { isRegistryError, outcomeOf, RegistryError, type ErrorCode } from "../../src/index.ts";

const outcomes: Record<ErrorCode, [httpStatus: number, exitCode: number]> = {
  invalid_input: [400, 2],
  unauthenticated: [401, 5],
  permission_denied: [403, 5],
  model_not_found: [404, 3],
  not_found: [404, 3],
  name_taken: [409, 4],
  model_running: [409, 4],
  lease_lost: [409, 4],
  row_version_mismatch: [412, 4],
  checksum_mismatch: [422, 1],
  not_a_registry: [500, 1],
  schema_too_new: [500, 1],
  schema_too_old: [500, 1],
  database_damaged: [500, 6],
  read_only: [500, 5],
  disk_full: [507, 1],
  database_busy: [503, 1],
  registry_closed: [503, 1],
  io_error: [500, 1],
  unsupported_node: [500, 2],
  source_unreachable: [502, 1],
};

describe("errors", () => {
  test.for(Object.entries(outcomes))("%s means the same everywhere", ([code, [httpStatus, exitCode]]) => {
    expect(outcomeOf(code as ErrorCode)).toEqual({ httpStatus, exitCode });
  });

  test("an expected failure is told from a bug, also one of another copy of the package", () => {
    expect(isRegistryError(new RegistryError("not_found", "x"))).toBe(true);
    const foreign = Object.assign(new Error("x"), { name: "RegistryError", code: "not_found" });
    expect(isRegistryError(foreign)).toBe(true);
    for (const other of [
      new Error("x"),
      new TypeError("x"),
      Object.assign(new Error("x"), { code: "ENOENT" }),
      null,
    ]) {
      expect(isRegistryError(other)).toBe(false);
    }
  });

  test("one keeps its cause and its field", () => {
    const cause = new Error("why");
    expect(new RegistryError("io_error", "x", { cause })).toMatchObject({
      cause,
      code: "io_error",
      field: undefined,
    });
    expect(new RegistryError("invalid_input", "x", { field: "notes" }).field).toBe("notes");
  });
});
