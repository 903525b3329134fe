import { invalidInput } from "../errors.ts";
import { FILTER_FIELDS, type Field, type FilterField } from "./fields.ts";
import { parseWord, shown } from "./input.ts";
import type { Comparison, FilterValue, ListOptions, ModelFilter } from "./list-options.ts";
import { AVAILABILITIES, MODEL_STATUS, SOURCE_TYPES } from "./model.ts";
import { parseMoment } from "./moment-text.ts";
import { nearest } from "./nearest.ts";
import { parseCount, parseSize } from "./quantity.ts";

/**
 * What chooses, orders and cuts a list of models, as people write it in flags or in a query. Of several
 * texts for one field any will do; an empty one means "not known".
 */
export interface ListWords {
  readonly sourceType?: readonly string[] | undefined;
  /** `ready`, `running`, 0 or 1. */
  readonly status?: readonly string[] | undefined;
  readonly authorRepo?: readonly string[] | undefined;
  readonly branch?: readonly string[] | undefined;
  readonly tag?: readonly string[] | undefined;
  readonly anyTag?: readonly string[] | undefined;
  readonly withoutTag?: readonly string[] | undefined;
  readonly availability?: readonly string[] | undefined;
  readonly engine?: readonly string[] | undefined;
  readonly format?: readonly string[] | undefined;
  readonly architecture?: readonly string[] | undefined;
  readonly quantization?: readonly string[] | undefined;
  readonly owner?: readonly string[] | undefined;
  /** `true` or `false`. */
  readonly private?: readonly string[] | undefined;
  /** `field operator value`, as in `size_bytes>4GB`; all must hold. */
  readonly filter?: readonly string[] | undefined;
  readonly search?: string | undefined;
  /** `field`, `field:asc` or `field:desc`. */
  readonly sort?: string | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly total?: boolean | undefined;
}

/** How a word is written where its user wrote it, for messages: `any_tag`, `--any-tag`. */
type Spell = (word: string) => string;

const FIELD_WORDS = {
  sourceType: "source_type",
  availability: "availability",
  status: "status",
  authorRepo: "author_repo",
  branch: "branch",
  engine: "engine",
  format: "format",
  architecture: "architecture",
  quantization: "quantization",
  owner: "owner",
  private: "private",
} as const;

/**
 * What words ask the registry for.
 *
 * @throws RegistryError `invalid_input` for an unknown field, operator or value, naming the word.
 */
export function parseListWords(words: ListWords, spell: Spell): ListOptions {
  const { tag, anyTag, withoutTag, search, sort, limit, cursor, total } = words;
  const filter = toFilter(words, spell);
  const tags = {
    ...(tag === undefined ? {} : { all: tag }),
    ...(anyTag === undefined ? {} : { any: anyTag }),
    ...(withoutTag === undefined ? {} : { none: withoutTag }),
  };
  return {
    ...(Object.keys(filter).length === 0 ? {} : { filter }),
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
    ...(search === undefined ? {} : { search }),
    ...(sort === undefined ? {} : { sort: toSort(sort, spell) }),
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(total === true ? { total } : {}),
  };
}

function toFilter(words: ListWords, spell: Spell): ModelFilter {
  const conditions = new Conditions();
  for (const [word, name] of Object.entries(FIELD_WORDS)) {
    for (const text of words[word as keyof typeof FIELD_WORDS] ?? []) {
      conditions.add(name, "eq", toClosedWord(name, text, spell(name)) ?? (text === "" ? null : text));
    }
  }
  for (const expression of words.filter ?? []) addExpression(conditions, expression, spell);
  return conditions.toFilter();
}

type Operator = keyof Comparison;
const OPERATORS: Readonly<Record<string, Operator>> = {
  "=": "eq",
  "!=": "ne",
  ">": "gt",
  ">=": "ge",
  "<": "lt",
  "<=": "le",
  "~": "like",
};

/** Gathers conditions by field: several `=` on one field mean any of them, everything else must all hold. */
class Conditions {
  readonly #byField = new Map<FilterField, Map<Operator, FilterValue[]>>();

  add(field: FilterField, operator: Operator, value: FilterValue): void {
    const ofField = this.#byField.get(field) ?? new Map<Operator, FilterValue[]>();
    this.#byField.set(field, ofField);
    ofField.set(operator, [...(ofField.get(operator) ?? []), value]);
  }

  toFilter(): ModelFilter {
    return Object.fromEntries(
      [...this.#byField].map(([field, ofField]) => {
        const anyOf = ofField.get("eq");
        if (anyOf !== undefined && ofField.size === 1) return [field, anyOf.length === 1 ? anyOf[0] : anyOf];
        return [
          field,
          Object.fromEntries(
            [...ofField].map(([operator, values]) => [operator, only(field, operator, values)]),
          ),
        ];
      }),
    ) as ModelFilter;
  }
}

function only(field: string, operator: Operator, values: readonly FilterValue[]): FilterValue {
  if (values.length === 1) return values[0]!;
  const sign = Object.keys(OPERATORS).find((key) => OPERATORS[key] === operator);
  throw invalidInput("filter", `${field}${sign} is there ${values.length} times: say it once.`);
}

const EXPRESSION = /^\s*([\w-]+)\s*(!=|>=|<=|==|=|>|<|~)\s?(.*)$/su;

function addExpression(conditions: Conditions, expression: string, spell: Spell): void {
  const match = EXPRESSION.exec(expression);
  if (match === null) {
    throw invalidInput(
      "filter",
      `${spell("filter")} needs a field, one of = != > >= < <= ~, and a value, as in 'size_bytes>4GB'; not ${shown(expression)}.`,
    );
  }
  const [, written, sign, text] = match as unknown as [string, string, string, string];
  const field = fieldOf("filter", written, spell);
  const operator = OPERATORS[sign === "==" ? "=" : sign]!;
  if (operator === "like" && field.type !== "text") {
    throw invalidInput(
      "filter",
      `${spell("filter")}: ~ (contains) is for texts, and ${field.name} is none: use one of = != > >= < <=.`,
    );
  }
  conditions.add(field.name, operator, operator === "like" ? text : toFilterValue(field, text, spell));
}

type ComparedField = Field & { readonly name: FilterField };

function fieldOf(word: "filter" | "sort", written: string, spell: Spell): ComparedField {
  const name = written.replaceAll("-", "_");
  const field = FILTER_FIELDS.find((candidate) => candidate.name === name);
  if (field !== undefined) return field;
  if (name === "tag") {
    const others = `${spell("tag")}, ${spell("any_tag")} and ${spell("without_tag")}`;
    throw invalidInput(word, `${spell(word)} knows tags, not tag; or use ${others}.`);
  }
  const names = FILTER_FIELDS.map((candidate) => candidate.name);
  const near = nearest(name, names);
  const question = near === undefined ? "" : ` Did you mean ${near}?`;
  throw invalidInput(
    word,
    `${spell(word)} knows no field ${shown(written)}. Fields: ${names.join(", ")}.${question}`,
  );
}

function toFilterValue({ name, type }: ComparedField, text: string, spell: Spell): FilterValue {
  if (text === "" && type !== "list") return null;
  const value = readValue(name, type, text, spell);
  if (value !== undefined) return value;
  throw invalidInput(
    "filter",
    `${spell("filter")} cannot compare ${name} with ${shown(text)}: ${EXPECTED[type] ?? "another value"} is needed.`,
  );
}

const EXPECTED: Partial<Record<Field["type"], string>> = {
  integer: "a whole number such as 4096, 7B or 32Ki",
  bytes: "a size such as 4.7GB",
  time: "a time such as 2026-01-31, 2026-01-31T12:00:00Z, or 2d for two days ago",
  boolean: "true or false",
};
const BOOLEANS = new Map([
  ...["true", "yes", "1"].map((word) => [word, true] as const),
  ...["false", "no", "0"].map((word) => [word, false] as const),
]);

function readValue(
  name: FilterField,
  type: Field["type"],
  text: string,
  spell: Spell,
): FilterValue | undefined {
  switch (type) {
    case "integer":
      return parseCount(text);
    case "bytes":
      return parseSize(text);
    case "time":
      return parseMoment(text);
    case "boolean":
      return BOOLEANS.get(text.toLowerCase());
    default:
      return toClosedWord(name, text, `${spell("filter")} ${name}`) ?? text;
  }
}

/** The value of a field that knows only some words; `undefined` where any text will do. */
function toClosedWord(name: FilterField, text: string, where: string): FilterValue | undefined {
  if (name === "source_type") return parseWord(where, text, SOURCE_TYPES);
  if (name === "availability") return parseWord(where, text, AVAILABILITIES);
  if (name === "private") return parseWord(where, text, ["true", "false"]) === "true";
  if (name !== "status") return undefined;
  const word = { "0": "ready", "1": "running" }[text] ?? text.toLowerCase();
  return parseWord(where, word, ["ready", "running"]) === "ready" ? MODEL_STATUS.READY : MODEL_STATUS.RUNNING;
}

function toSort(written: string, spell: Spell): NonNullable<ListOptions["sort"]> {
  const [name = "", direction, ...rest] = written.split(":");
  if ((direction !== undefined && direction !== "asc" && direction !== "desc") || rest.length > 0) {
    throw invalidInput(
      "sort",
      `${spell("sort")} needs a field and asc or desc, as in size_bytes:desc; not ${shown(written)}.`,
    );
  }
  return { field: fieldOf("sort", name, spell).name, ...(direction === undefined ? {} : { direction }) };
}
