import fc from "fast-check";

import {
  AVAILABILITIES,
  FILTER_FIELDS,
  SOURCE_TYPES,
  type ListOptions,
  type ModelFilter,
  type NewModel,
  type Field,
  type FilterField,
} from "../../src/index.ts";

/** A field that holds one value. */
export type ScalarField = Exclude<FilterField, "aliases" | "capabilities" | "tags">;
export const SCALAR_FIELDS: readonly (Field & { readonly name: ScalarField })[] = FILTER_FIELDS.filter(
  (field): field is typeof field & { readonly name: ScalarField } => field.type !== "list",
);

// Few words, so that they meet; with what SQL, LIKE and FTS5 take for something else.
const WORDS = [
  "a",
  "A",
  "ab",
  "abc",
  "ABCD",
  "a_c",
  "a%c",
  "100%",
  `"`,
  "'",
  "\\",
  "*",
  "é",
  "É",
  "日本語",
  "😀",
  "-",
  "or",
  "NOT",
];

const word = fc.constantFrom(...WORDS);
const phrase = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(""));
const text = fc.option(phrase, { freq: 3 });
const integer = fc.option(
  fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom(2 ** 31, 2 ** 53 - 1), fc.integer({ min: 0 })),
  { freq: 3 },
);
const time = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constantFrom(253_402_300_799_999));
const tag = fc.constantFrom("x", "y", "z", "chat", "日本", "a_b");
const tags = fc.uniqueArray(tag, { maxLength: 3 });

/** Models with unique names and whatever in their fields, as a list may meet them. */
export const arbitraryModels: fc.Arbitrary<NewModel[]> = fc
  .array(
    fc.record({
      modelId: phrase,
      alias: fc.option(phrase),
      aliases: fc.array(phrase, { maxLength: 2 }),
      sourceType: fc.constantFrom(...SOURCE_TYPES),
      authorRepo: text,
      branch: text,
      configPath: text,
      createdAt: time,
      updatedAt: time,
      availability: fc.constantFrom(...AVAILABILITIES),
      engine: text,
      format: text,
      architecture: text,
      quantization: text,
      parameterCount: integer,
      contextLength: integer,
      sizeBytes: integer,
      tags,
      notes: fc.option(fc.array(phrase, { minLength: 1, maxLength: 3 }).map((lines) => lines.join("\n"))),
      pinned: fc.boolean(),
      lastUsedAt: fc.option(time),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((models) =>
    models.map((model, index) => ({
      ...model,
      modelId: `${model.modelId}#${index}`,
      alias: model.alias === null ? null : `${model.alias}@${index}`,
      aliases: model.aliases.map((alias, place) => `${alias}+${index}.${place}`),
    })),
  );

const fieldNames = SCALAR_FIELDS.map(({ name }) => name);

function arbitraryValue(field: ScalarField): fc.Arbitrary<string | number | boolean | null> {
  const { type } = SCALAR_FIELDS.find(({ name }) => name === field)!;
  if (field === "source_type") return fc.constantFrom(...SOURCE_TYPES);
  if (field === "availability") return fc.constantFrom(...AVAILABILITIES);
  if (type === "boolean") return fc.boolean();
  if (type === "status") return fc.constantFrom(0, 1);
  if (type === "text")
    return fc.oneof(
      phrase,
      fc.integer({ min: 0, max: 5 }).map((index) => `a#${index}`),
    );
  return fc.oneof(fc.integer({ min: -1, max: 4 }), fc.constantFrom(2 ** 31, 2 ** 53 - 1, -(2 ** 53) + 1));
}

function arbitraryCondition(field: ScalarField): fc.Arbitrary<ModelFilter> {
  const { type } = SCALAR_FIELDS.find(({ name }) => name === field)!;
  const value = arbitraryValue(field);
  const nullable = fc.option(value, { freq: 4 });
  const closed = field === "source_type" || field === "availability";
  const compared = fc.record(
    {
      eq: nullable,
      ne: nullable,
      lt: value,
      le: value,
      gt: value,
      ge: value,
      ...(type === "text" && !closed ? { like: word } : {}),
    },
    { requiredKeys: [] },
  );
  const one = fc.oneof(
    nullable,
    fc.array(nullable, { minLength: 1, maxLength: 3 }),
    // Most comparisons at once match nothing: one or two at a time tell more.
    compared.map((all) => Object.fromEntries(Object.entries(all).slice(0, 2))),
  );
  return one.map((wanted) => ({ [field]: wanted }));
}

const search = fc
  .array(fc.oneof(word, phrase), { minLength: 1, maxLength: 3 })
  .map((terms) => terms.join(" "));

/** Questions to a list: any combination of filters, tags, search and order. */
export const arbitraryListOptions: fc.Arbitrary<ListOptions> = fc.record(
  {
    filter: fc
      .uniqueArray(fc.constantFrom(...fieldNames), { maxLength: 2 })
      .chain((fields) => fc.tuple(...fields.map(arbitraryCondition)))
      .map((conditions) => Object.assign({}, ...conditions) as ModelFilter),
    tags: fc.record({ all: tags, any: tags, none: tags }, { requiredKeys: [] }),
    search,
    sort: fc.record({
      field: fc.constantFrom(...fieldNames),
      direction: fc.constantFrom("asc" as const, "desc" as const),
    }),
  },
  { requiredKeys: [] },
);
