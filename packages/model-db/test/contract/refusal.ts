import { expect } from "vitest";

import { hasForbiddenCharacter, RegistryError, type ErrorCode } from "../../src/index.ts";

/**
 * What a promise is rejected with, or a function throws, which must be a {@link RegistryError} with that
 * code and a message fit for a person: short, of one line, well-formed, and without SQL.
 */
export async function expectRefusal(
  code: ErrorCode,
  work: Promise<unknown> | (() => unknown),
  what?: string,
): Promise<RegistryError> {
  let error: unknown = "nothing was thrown";
  try {
    await (typeof work === "function" ? work() : work);
  } catch (thrown) {
    error = thrown;
  }
  expect(error, what).toBeInstanceOf(RegistryError);
  const refusal = error as RegistryError;
  expect(refusal.code, `${what ?? ""}: ${refusal.message}`).toBe(code);
  expect(refusal.message.length, refusal.message.slice(0, 200)).toBeLessThan(1000);
  expect(hasForbiddenCharacter(refusal.message), refusal.message).toBe(false);
  expect(refusal.message).not.toMatch(
    /SQLITE_|constraint failed|no such (table|column)|syntax error|datatype/,
  );
  return refusal;
}

/** As {@link expectRefusal}, for `invalid_input`, which names the field at fault; any, where none is expected. */
export async function expectInvalid(
  field: string | undefined,
  work: Promise<unknown> | (() => unknown),
  what?: string,
): Promise<void> {
  const refusal = await expectRefusal("invalid_input", work, what);
  if (field === undefined) expect(refusal.field, what).toBeTypeOf("string");
  else expect(refusal.field, what).toBe(field);
}
