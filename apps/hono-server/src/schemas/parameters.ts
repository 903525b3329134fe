import { parseMoment } from "@cortex/model-db";
import { z } from "zod";

const MAX_PAGE_LENGTH = 1000;

/**
 * A whole number in a query.
 *
 * @param words texts that stand for a number.
 */
function integerParameter(
  least: number,
  most: number,
  description: string,
  words: Readonly<Record<string, number>> = {},
): z.ZodType<number, number> {
  const schema = z
    .string()
    .meta({ description, override: { type: "integer", minimum: least, maximum: most } })
    .transform((text, context) => {
      const value = /^\d{1,16}$/.test(text) ? Number(text) : (words[text] ?? Number.NaN);
      if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
      context.addIssue({ code: "custom", message: `a whole number from ${least} to ${most} is needed` });
      return z.NEVER;
    });
  // As a client sees it; on the way it is a text.
  return schema as unknown as z.ZodType<number, number>;
}

/** Yes or no in a query. */
export function flagParameter(description: string): z.ZodType<boolean, boolean> {
  const schema = z
    .enum(["true", "false"])
    .meta({ description, override: { type: "boolean" } })
    .transform((text) => text === "true");
  return schema as unknown as z.ZodType<boolean, boolean>;
}

/** A time in a query, in every form that people write one in. */
export function momentParameter(description: string): z.ZodType<number, string | number> {
  const forms = "as 2026-01-31, 2026-01-31T12:00:00Z, Unix milliseconds, or 2h for two hours ago";
  const schema = z
    .string()
    .meta({ description: `${description}; ${forms}` })
    .transform((text, context) => {
      const time = parseMoment(text);
      if (time !== undefined) return time;
      context.addIssue({ code: "custom", message: `a time is needed, ${forms}` });
      return z.NEVER;
    });
  return schema;
}

/** A parameter that may be repeated. */
export function repeatedParameter(description: string): z.ZodArray<z.ZodString> {
  return z.array(z.string()).meta({ description });
}

/** How long a page is. */
export const limitParameter = integerParameter(
  1,
  MAX_PAGE_LENGTH,
  "How many at most; 50 when left out",
).optional();

/**
 * How long a list of models is. Clients of OpenAI ask once and know no pages, and those of the old program
 * say -1 for all: both get as many as there can be.
 */
export const modelsLimitParameter = integerParameter(
  1,
  MAX_PAGE_LENGTH,
  `How many at most; ${MAX_PAGE_LENGTH} when left out`,
  { "-1": MAX_PAGE_LENGTH },
).default(MAX_PAGE_LENGTH);

/** Where a page begins. */
export const cursorParameter = z
  .string()
  .meta({ description: "`next_cursor` of the page before, with the same other parameters" })
  .optional();
