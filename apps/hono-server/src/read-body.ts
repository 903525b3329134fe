import type { z } from "zod";

import type { RequestContext } from "./env.ts";
import { invalidInput } from "./validation.ts";
import { toInvalidInput } from "./validation.ts";

/**
 * The JSON body of a request, checked.
 *
 * @throws RegistryError `invalid_input`, naming the field.
 */
export async function readBody<Schema extends z.ZodType>(
  c: RequestContext,
  schema: Schema,
): Promise<z.output<Schema>> {
  let json: unknown;
  try {
    json = JSON.parse(await c.req.text());
  } catch {
    throw invalidInput("body", "The body is no JSON.");
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw toInvalidInput(parsed.error);
  return parsed.data;
}
