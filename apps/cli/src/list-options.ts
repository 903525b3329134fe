import {
  AVAILABILITIES,
  FILTER_FIELDS,
  MODEL_STATUS,
  SOURCE_TYPES,
  type Comparison,
  type Field,
  type FilterField,
  type FilterValue,
  type ListOptions,
  type ModelFilter,
} from "@cortex/model-db";

import { MisuseError } from "./errors.ts";
import { parseCount, parseSize } from "./output/size.ts";
import { parseTime } from "./output/time.ts";
import { quote } from "./values.ts";

/** The flags that choose, order and cut a list of models. */
export interface ListFlags {
  readonly sourceType?: readonly string[];
  readonly status?: string;
  readonly authorRepo?: readonly string[];
  readonly branch?: readonly string[];
  readonly tag?: readonly string[];
  readonly anyTag?: readonly string[];
  readonly withoutTag?: readonly string[];
  readonly availability?: readonly string[];
  readonly engine?: readonly string[];
  readonly format?: readonly string[];
  readonly architecture?: readonly string[];
  readonly quantization?: readonly string[];
  /** `field operator value`, as in `size_bytes>4GB`. */
  readonly filter?: readonly string[];
  readonly search?: string;
  /** `field`, `field:asc` or `field:desc`. */
  readonly sort?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly total?: boolean;
}

const TEXT_FLAGS = {
  authorRepo: "author_repo",
  branch: "branch",
  engine: "engine",
  format: "format",
  architecture: "architecture",
  quantization: "quantization",
} as const;

/**
 * What the flags of a list ask the registry for.
 * @throws MisuseError for an unknown field, operator or word
 */
export function toListOptions(flags: ListFlags): ListOptions {
  const filter = toFilter(flags);
  const { tag, anyTag, withoutTag } = flags;
  const tags = {
    ...(tag === undefined ? {} : { all: tag }),
    ...(anyTag === undefined ? {} : { any: anyTag }),
    ...(withoutTag === undefined ? {} : { none: withoutTag }),
  };
  return {
    ...(Object.keys(filter).length === 0 ? {} : { filter }),
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
    ...(flags.search === undefined ? {} : { search: flags.search }),
    ...(flags.sort === undefined ? {} : { sort: toSort(flags.sort) }),
    ...(flags.limit === undefined ? {} : { limit: flags.limit }),
    ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
    ...(flags.total === true ? { total: true } : {}),
  };
}

function toFilter(flags: ListFlags): ModelFilter {
  const conditions = new Conditions();
  for (const word of flags.sourceType ?? [])
    conditions.add("source_type", "eq", oneOf("--source-type", word, SOURCE_TYPES));
  for (const word of flags.availability ?? [])
    conditions.add("availability", "eq", oneOf("--availability", word, AVAILABILITIES));
  if (flags.status !== undefined) conditions.add("status", "eq", toStatus("--status", flags.status));
  for (const [flag, field] of Object.entries(TEXT_FLAGS)) {
    for (const text of flags[flag as keyof typeof TEXT_FLAGS] ?? [])
      conditions.add(field, "eq", text === "" ? null : text);
  }
  for (const expression of flags.filter ?? []) addExpression(conditions, expression);
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
  throw new MisuseError(`${field}${sign} is there ${values.length} times: say it once.`);
}

const EXPRESSION = /^\s*([\w-]+)\s*(!=|>=|<=|==|=|>|<|~)\s?(.*)$/su;

function addExpression(conditions: Conditions, expression: string): void {
  const match = EXPRESSION.exec(expression);
  if (match === null) {
    throw new MisuseError(
      `--filter needs a field, one of = != > >= < <= ~, and a value, as in 'size_bytes>4GB'; not ${quote(expression)}.`,
    );
  }
  const [, written, sign, text] = match as unknown as [string, string, string, string];
  const field = fieldOf("--filter", written);
  const operator = OPERATORS[sign === "==" ? "=" : sign]!;
  if (operator === "like" && field.type !== "text") {
    throw new MisuseError(
      `--filter: ~ (contains) is for texts, and ${field.name} is none: use one of = != > >= < <=.`,
    );
  }
  conditions.add(field.name, operator, operator === "like" ? text : toFilterValue(field, text));
}

type ComparedField = Field & { readonly name: FilterField };

function fieldOf(flag: "--filter" | "--sort", written: string): ComparedField {
  const name = written.replaceAll("-", "_");
  const field = FILTER_FIELDS.find((candidate) => candidate.name === name);
  if (field !== undefined) return field;
  if (name === "tag")
    throw new MisuseError(`${flag} knows tags, not tag; or use --tag, --any-tag and --without-tag.`);
  const names = FILTER_FIELDS.map((candidate) => candidate.name);
  throw new MisuseError(`${flag} knows no field ${quote(written)}. Fields: ${names.join(", ")}.`, {
    written: name,
    among: names,
  });
}

function toFilterValue({ name, type }: ComparedField, text: string): FilterValue {
  if (text === "" && type !== "list") return null;
  const value = readValue(name, type, text);
  if (value === undefined)
    throw new MisuseError(
      `--filter cannot compare ${name} with ${quote(text)}: ${EXPECTED[type] ?? "another value"} is needed.`,
    );
  return value;
}

const EXPECTED: Partial<Record<Field["type"], string>> = {
  integer: "a whole number such as 4096, 7B or 32Ki",
  bytes: "a size such as 4.7GB",
  time: "a time such as 2026-01-31, 2026-01-31T12:00:00Z, or 2d for two days ago",
  boolean: "true or false",
};

function readValue(name: FilterField, type: Field["type"], text: string): FilterValue | undefined {
  switch (type) {
    case "integer":
      return parseCount(text);
    case "bytes":
      return parseSize(text);
    case "time":
      return parseTime(text);
    case "boolean":
      return { true: true, yes: true, "1": true, false: false, no: false, "0": false }[text.toLowerCase()];
    case "status":
      return toStatus("--filter status", text);
    case "text":
    case "list":
    case "object":
      break;
  }
  if (name === "source_type") return oneOf("--filter source_type", text, SOURCE_TYPES);
  return name === "availability" ? oneOf("--filter availability", text, AVAILABILITIES) : text;
}

function toStatus(flag: string, text: string): number {
  const word = text.toLowerCase();
  if (word === "ready" || word === "0") return MODEL_STATUS.READY;
  if (word === "running" || word === "1") return MODEL_STATUS.RUNNING;
  throw new MisuseError(`${flag} needs ready or running, not ${quote(text)}.`, {
    written: word,
    among: ["ready", "running"],
  });
}

function toSort(written: string): NonNullable<ListOptions["sort"]> {
  const [name = "", direction, ...rest] = written.split(":");
  if ((direction !== undefined && direction !== "asc" && direction !== "desc") || rest.length > 0) {
    throw new MisuseError(
      `--sort needs a field and asc or desc, as in size_bytes:desc; not ${quote(written)}.`,
    );
  }
  return { field: fieldOf("--sort", name).name, ...(direction === undefined ? {} : { direction }) };
}

/**
 * A word out of a closed set.
 * @throws MisuseError naming the nearest
 */
export function oneOf<Word extends string>(flag: string, written: string, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === written);
  if (word !== undefined) return word;
  throw new MisuseError(`${flag} needs one of ${words.join(", ")}; not ${quote(written)}.`, {
    written,
    among: words,
  });
}
