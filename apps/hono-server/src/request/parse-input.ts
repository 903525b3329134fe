import { nearest, type RegistryError } from "@cortex/model-db";
import { z } from "zod";

import { invalidInput } from "./invalid-input.ts";

/**
 * An input as its schema has it.
 *
 * @throws RegistryError `invalid_input`, naming the field, about the first thing that is wrong.
 */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input, { error: whatIsNeeded });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues as [z.core.$ZodIssue];
  if (issue.code === "unrecognized_keys") throw unknownField(issue, schema);
  const field = issue.path.join(".");
  throw invalidInput(field, `${field === "" ? "The body" : field}: ${issue.message}.`);
}

function unknownField({ path, keys }: z.core.$ZodIssueUnrecognizedKeys, schema: z.ZodType): RegistryError {
  const field = keys.map((key) => [...path, key].join(".")).join(", ");
  // What is known further within is nothing that people get wrong by a letter.
  const known = path.length === 0 && schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const near = keys.length === 1 ? nearest(keys[0]!, known) : undefined;
  return invalidInput(
    field,
    `${field} is not known here.${near === undefined ? "" : ` Did you mean ${near}?`}`,
  );
}

const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

/** What a field takes, said to whoever gave it something else; the library's own words where it is none of these. */
function whatIsNeeded(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type": {
      const type = TYPES[issue.expected];
      return type && `${type} is needed`;
    }
    case "invalid_value":
      return `${issue.values.length > 1 ? "one of " : ""}${issue.values.join(", ")} is needed`;
    case "too_small":
      return bound("at least", issue.minimum, issue.origin);
    case "too_big":
      return bound("at most", issue.maximum, issue.origin);
    default:
      return undefined;
  }
}

function bound(words: string, limit: number | bigint, origin: string): string | undefined {
  return origin === "number" || origin === "int" ? `a number of ${words} ${limit} is needed` : undefined;
}
