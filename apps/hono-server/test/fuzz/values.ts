import fc, { type Arbitrary } from "fast-check";

import type { Schema } from "./operations.ts";

/** Names that come up again and again, so that requests meet each other's models. */
const NAMES = ["a", "b", "team/a", "team/b:q4", "Modell ü", "a.gguf", "none"];

const WORDS = [
  ...NAMES,
  "",
  " ",
  "chat",
  "local",
  "huggingface",
  "0",
  "1",
  "-1",
  "true",
  "null",
  "row_version",
  "size_bytes>1",
  "size_bytes:desc",
  "model_id",
  "1d",
  "2026-01-01",
  "../../etc/passwd",
  "\0",
  "\u001b[2J",
  "\u202e",
  "\ud83d",
  "%",
  "%25",
  "%00",
  "*",
  "'",
  '"',
  "\\",
  "a\r\nX-Injected: 1",
  "__proto__",
  "constructor",
  "a".repeat(1100),
];

/** Texts: mostly such as people use, some that they should not. */
export const text: Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 3, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 40 }) },
);

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  2,
  1.5,
  255,
  2 ** 31,
  2 ** 53,
  2 ** 53 + 2,
  -(2 ** 53),
  1e300,
  Number.MIN_VALUE,
];

/** Anything that is JSON. */
export const json: Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(...NUMBERS),
  text,
  fc.constantFrom([], {}, [[]], { a: {} }),
);

const MAX_DEPTH = 3;

/** What a schema lets through, mostly: what the schema cannot say, such as that names are unique, may be wrong. */
export function valueOf(schema: Schema, depth = 0): Arbitrary<unknown> {
  // Some schemas hold themselves.
  if (depth > MAX_DEPTH) return fc.constantFrom(null, 1, "a");
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => valueOf(choice, depth)));
  if (schema.allOf !== undefined) return valueOf(Object.assign({}, ...schema.allOf) as Schema, depth);
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  if (types.length > 1) return fc.oneof(...types.map((type) => valueOf({ ...schema, type }, depth)));
  switch (types[0]) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
    case "number":
      return numberOf(schema);
    case "string":
      return text;
    case "array":
      return fc.array(valueOf(schema.items ?? {}, depth + 1), {
        maxLength: Math.min(schema.maxItems ?? 4, 4),
      });
    case "object":
      return objectOf(schema, depth);
    default:
      return json;
  }
}

function numberOf({ minimum, maximum, exclusiveMinimum }: Schema): Arbitrary<number> {
  const min = Math.max(minimum ?? -1000, (exclusiveMinimum ?? -1001) + 1);
  return fc.oneof(
    fc.integer({ min, max: Math.min(maximum ?? 100_000, 100_000) }),
    fc.constantFrom(...NUMBERS),
  );
}

function objectOf(
  { properties = {}, required = [], additionalProperties }: Schema,
  depth: number,
): Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, valueOf(schema, depth + 1)]),
  );
  const known = fc.record(fields, { requiredKeys: required.filter((name) => name in fields) });
  if (typeof additionalProperties !== "object") return known;
  const others = fc.dictionary(text, valueOf(additionalProperties, depth + 1), { maxKeys: 3 });
  return fc.tuple(known, others).map(([some, more]) => ({ ...more, ...some }));
}
