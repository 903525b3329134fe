import { z } from "zod";

import type { Target } from "../env.ts";
import { invalidInput } from "./invalid-input.ts";
import { parseInput } from "./parse-input.ts";
import { queryTextOf } from "./query-text.ts";

/**
 * The query of a request, checked. A parameter may be repeated where its schema is a list.
 *
 * @throws RegistryError `invalid_input`, naming the parameter.
 */
export function readQuery<Schema extends z.ZodObject>(c: Target, schema: Schema): z.output<Schema> {
  const given: Record<string, string | string[]> = Object.create(null) as object as Record<
    string,
    string | string[]
  >;
  for (const [name, value] of new URLSearchParams(queryTextOf(c))) {
    const known = given[name];
    if (Array.isArray(known)) known.push(value);
    else if (known !== undefined) throw invalidInput(name, `${name} is given more than once.`);
    else given[name] = takesList(schema.shape[name]) ? [value] : value;
  }
  return parseInput(schema, { ...given });
}

function takesList(field: unknown): boolean {
  return field instanceof z.ZodOptional ? takesList(field.unwrap()) : field instanceof z.ZodArray;
}
