import type { z } from "zod";

import type { RequestContext } from "../env.ts";
import { HttpError } from "../errors.ts";
import { invalidInput } from "./invalid-input.ts";
import { parseInput } from "./parse-input.ts";
import { readBytes } from "./read-bytes.ts";
import { parseStrictJson } from "./strict-json.ts";

const JSON_TYPES: readonly string[] = ["application/json", "application/merge-patch+json"];
const UTF_8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The JSON body of a request, checked. Where the schema lets it, it may be left out.
 *
 * @param options.isAnyMediaType takes it for JSON whatever its Content-Type says.
 * @throws RegistryError `invalid_input`, naming the field.
 * @throws HttpError `unsupported_media_type`, `payload_too_large`, `request_timeout`, `malformed_request`.
 */
export async function readBody<Schema extends z.ZodType>(
  c: RequestContext,
  schema: Schema,
  options: { isAnyMediaType?: boolean | undefined } = {},
): Promise<z.output<Schema>> {
  const mediaType = options.isAnyMediaType === true ? JSON_TYPES[0] : c.req.header("content-type");
  return parseBody(await readBytes(c), mediaType, schema);
}

/**
 * The same, of a body that was read.
 *
 * @param mediaType what its Content-Type says.
 * @throws RegistryError `invalid_input`, naming the field.
 * @throws HttpError `unsupported_media_type`.
 */
export function parseBody<Schema extends z.ZodType>(
  bytes: Uint8Array,
  mediaType: string | undefined,
  schema: Schema,
): z.output<Schema> {
  let json: unknown;
  if (bytes.length > 0) {
    checkMediaType(mediaType, JSON_TYPES);
    json = parseStrictJson(decodeUtf8(bytes));
  }
  if (json === undefined && !schema.safeParse(json).success) {
    throw invalidInput("body", "The request needs a body of JSON.");
  }
  return parseInput(schema, json);
}

/**
 * Refuses a body that says it is something else, or in another encoding than UTF-8.
 *
 * @throws HttpError `unsupported_media_type`.
 */
export function checkMediaType(header: string | undefined, types: readonly string[]): void {
  const [type = "", ...parameters] = (header ?? "").split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="));
  if (types.includes(type) && (charset === undefined || /^charset="?utf-?8"?$/.test(charset))) return;
  throw new HttpError(
    "unsupported_media_type",
    `The body must be ${types.join(" or ")} in UTF-8, and its Content-Type must say so: with curl, -H 'Content-Type: ${types[0]}'.`,
  );
}

/**
 * A text from its bytes, all of them.
 *
 * @throws RegistryError `invalid_input`.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw invalidInput("body", "What was sent is not UTF-8.");
  }
}
