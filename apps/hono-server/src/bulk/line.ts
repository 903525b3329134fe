import { isRegistryError, RegistryError, type Repositories } from "@cortex/model-db";
import type { z } from "zod";

import { statusOf, toPublicError } from "../errors.ts";
import { parseInput } from "../request/parse-input.ts";
import { decodeUtf8 } from "../request/read-body.ts";
import type { Line } from "../request/read-lines.ts";
import { parseStrictJson } from "../request/strict-json.ts";
import type { lineSchema } from "../schemas/line.ts";

/** What became of a line. */
type LineResult = z.output<typeof lineSchema>;

/** What is done with each line of a body. */
export interface BulkWork<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  /** Does what a line says. @throws what fails that line alone */
  readonly apply: (
    repositories: Pick<Repositories, "models">,
    item: z.output<Schema>,
  ) => Promise<Omit<LineResult, "line">>;
  /** All lines or none. */
  readonly isAtomic: boolean;
}

/**
 * Does what a line says.
 *
 * @throws what is not the line's fault.
 */
export async function doLine(
  repositories: Pick<Repositories, "models">,
  { number, bytes }: Line,
  { schema, apply }: BulkWork,
): Promise<LineResult> {
  try {
    const item = parseInput(schema, parseStrictJson(decodeUtf8(bytes)));
    return { line: number, ...(await apply(repositories, item)) };
  } catch (error) {
    if (isRegistryError(error) && statusOf(error.code) < 500) return failedLine(number, error);
    throw error;
  }
}

/** What is said of a line that failed. */
export function failedLine(line: number, error: unknown): LineResult {
  const { code, message } = toPublicError(error);
  return { line, status: statusOf(code), error: { code, message } };
}

/** The failure of a line as that of the whole request. */
export function toLineError({ line, error }: LineResult): Error {
  const { code, message } = error!;
  return new RegistryError(code as never, `Line ${line}: ${message} Nothing was changed.`);
}
