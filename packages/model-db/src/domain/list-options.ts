import { invalidInput } from "../errors.ts";
import { FILTER_FIELDS, type Field, type FilterField } from "./fields.ts";
import { checkKeys, parseInteger, parseTags, parseWord, shown } from "./input.ts";
import { AVAILABILITIES, SOURCE_TYPES } from "./model.ts";
import { hasForbiddenCharacter } from "./text.ts";

/** A value that a field is compared with; `null` is "not known". */
export type FilterValue = string | number | boolean | null;

/** What must hold for a field, all of it at once. `like` looks for a part of the text, in any case. */
export interface Comparison {
  eq?: FilterValue | undefined;
  ne?: FilterValue | undefined;
  lt?: string | number | undefined;
  le?: string | number | undefined;
  gt?: string | number | undefined;
  ge?: string | number | undefined;
  like?: string | undefined;
}

/**
 * By field: the value it has, a list of values it may have, or comparisons. All fields must match. A field
 * that is a list, such as `capabilities`, matches by the items it has.
 */
export type ModelFilter = { [K in FilterField]?: FilterValue | readonly FilterValue[] | Comparison };

export interface TagFilter {
  all?: readonly string[] | undefined;
  any?: readonly string[] | undefined;
  none?: readonly string[] | undefined;
}

/** Which models. */
export interface ModelSelection {
  filter?: ModelFilter | undefined;
  tags?: TagFilter | undefined;
  /** Blank-separated terms that must all be part of the id, an alias, the repository, the notes or a tag. */
  search?: string | undefined;
}

export interface ListOptions extends ModelSelection {
  /** Newest registered first when left out. Models without a value come last in either direction. */
  sort?: { field: FilterField; direction?: "asc" | "desc" } | undefined;
  /** 1 to 1,000; 50 when left out. */
  limit?: number | undefined;
  /** `nextCursor` of the page before, with the same other options. */
  cursor?: string | null | undefined;
  /** Count all that match, too. */
  total?: boolean | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** For the next page; `null` on the last. */
  readonly nextCursor: string | null;
  /** How many match in all, where asked for. */
  readonly total?: number;
}

type Operator = "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "like" | "in";
/** One condition, checked: `in` has a list of values, the others one. */
export interface Condition {
  readonly field: FilterField;
  readonly operator: Operator;
  readonly values: readonly (string | number | null)[];
}

/** Which models, checked and in one form. */
export interface Selection {
  readonly conditions: readonly Condition[];
  readonly tagsAll: readonly string[];
  readonly tagsAny: readonly string[];
  readonly tagsNone: readonly string[];
  readonly terms: readonly string[];
}

const FIELDS: ReadonlyMap<string, Field> = new Map(FILTER_FIELDS.map((field) => [field.name, field]));
const FIELD_NAMES: ReadonlySet<string> = new Set(FIELDS.keys());
const COMPARISON_KEYS: ReadonlySet<string> = new Set(["eq", "ne", "lt", "le", "gt", "ge", "like"]);
const SELECTION_KEYS = ["filter", "tags", "search"];
const LIST_KEYS: ReadonlySet<string> = new Set([...SELECTION_KEYS, "sort", "limit", "cursor", "total"]);
const COUNT_KEYS: ReadonlySet<string> = new Set(SELECTION_KEYS);
const TAG_KEYS: ReadonlySet<string> = new Set(["all", "any", "none"]);
const SORT_KEYS: ReadonlySet<string> = new Set(["field", "direction"]);
const MAX_VALUES = 500;
const MAX_TAGS = 100;
const MAX_TERMS = 16;
const MAX_SEARCH_LENGTH = 1024;
const NOTHING: readonly never[] = [];
const EVERYTHING: Selection = {
  conditions: NOTHING,
  tagsAll: NOTHING,
  tagsAny: NOTHING,
  tagsNone: NOTHING,
  terms: NOTHING,
};

/** Refuses what `list` does not know. */
export function checkListOptions(options: unknown): asserts options is ListOptions {
  checkKeys("list options", options, LIST_KEYS);
}

/** Refuses what `count` does not know. */
export function checkSelection(selection: unknown): asserts selection is ModelSelection {
  checkKeys("count options", selection, COUNT_KEYS);
}

/**
 * Brings a selection into one form.
 *
 * @throws RegistryError `invalid_input` naming the field.
 */
export function parseSelection({ filter, tags, search }: ModelSelection): Selection {
  if (filter === undefined && tags === undefined && search === undefined) return EVERYTHING;
  if (tags !== undefined) checkKeys("tags", tags, TAG_KEYS);
  const conditions = filter === undefined ? [] : parseFilter(filter);
  const named = conditions.filter(isTag).map(({ values }) => values[0] as string);
  return {
    conditions: conditions.filter((condition) => !isTag(condition)),
    // A tag is found by its index, whichever way it was asked for.
    tagsAll: [
      ...new Set([...named, ...(tags?.all === undefined ? NOTHING : parseTags("tags", tags.all, MAX_TAGS))]),
    ],
    tagsAny: tags?.any === undefined ? NOTHING : parseTags("tags", tags.any, MAX_TAGS),
    tagsNone: tags?.none === undefined ? NOTHING : parseTags("tags", tags.none, MAX_TAGS),
    terms: search === undefined ? NOTHING : parseTerms(search),
  };
}

function isTag({ field, operator }: Condition): boolean {
  return field === "tags" && operator === "eq";
}

function parseFilter(filter: ModelFilter): Condition[] {
  checkKeys("a filter", filter, FIELD_NAMES);
  const conditions: Condition[] = [];
  for (const [name, wanted] of Object.entries(filter)) {
    if (wanted === undefined) continue;
    const field = FIELDS.get(name)! as Field & { name: FilterField };
    if (Array.isArray(wanted)) {
      if (wanted.length === 0 || wanted.length > MAX_VALUES) {
        throw invalidInput(
          name,
          `${name} must be compared with 1 to ${MAX_VALUES} values, not ${wanted.length}.`,
        );
      }
      const values = Array.from(wanted as unknown[], (value) => parseValue(field, value));
      conditions.push({ field: field.name, operator: "in", values });
    } else if (typeof wanted === "object" && wanted !== null && !(wanted instanceof Date)) {
      checkKeys(`a comparison of ${name}`, wanted, COMPARISON_KEYS);
      for (const [operator, value] of Object.entries(wanted)) {
        if (value !== undefined) conditions.push(parseComparison(field, operator as Operator, value));
      }
    } else {
      conditions.push({ field: field.name, operator: "eq", values: [parseValue(field, wanted)] });
    }
  }
  return conditions;
}

function parseComparison(
  field: Field & { name: FilterField },
  operator: Operator,
  value: unknown,
): Condition {
  const { name, type } = field;
  if (operator === "like" && (type !== "text" || typeof value !== "string" || value === "")) {
    const why = type === "text" ? `${shown(value)} is no part of a text` : `${name} is no text`;
    throw invalidInput(name, `${name} cannot be searched for a part: ${why}.`);
  }
  if (type === "list" && operator !== "eq" && operator !== "ne") {
    throw invalidInput(
      name,
      `${name} is a list: it has an item (eq) or has it not (ne), and is not compared by size.`,
    );
  }
  if (value === null && operator !== "eq" && operator !== "ne") {
    throw invalidInput(name, `${name} cannot be compared by size with null; use eq or ne.`);
  }
  const closed = operator === "like" ? checkFilterText(name, value as string) : parseValue(field, value);
  return { field: name, operator, values: [closed] };
}

function parseValue({ name, type }: Field, value: unknown): string | number | null {
  if (value === null && type !== "list") return null;
  switch (type) {
    case "list":
      if (typeof value !== "string")
        throw invalidInput(name, `${name} must be compared with a text, not ${shown(value)}.`);
      return checkFilterText(name, value);
    case "status":
      return parseInteger(name, value, 0, 1);
    case "boolean":
      if (typeof value !== "boolean")
        throw invalidInput(name, `${name} must be true or false, not ${shown(value)}.`);
      return value ? 1 : 0;
    case "text":
      if (name === "source_type") return parseWord(name, value, SOURCE_TYPES);
      if (name === "availability") return parseWord(name, value, AVAILABILITIES);
      if (typeof value !== "string") throw invalidInput(name, `${name} must be a text, not ${shown(value)}.`);
      return checkFilterText(name, value);
    case "time":
      if (!Number.isSafeInteger(value))
        throw invalidInput(name, `${name} must be a time in Unix milliseconds, not ${shown(value)}.`);
      return value as number;
    default:
      return parseInteger(name, value, Number.MIN_SAFE_INTEGER);
  }
}

function checkFilterText(name: string, value: string): string {
  if (value.length > 4096 || hasForbiddenCharacter(value)) {
    throw invalidInput(name, `${name} cannot be ${shown(value)}: too long, or with a control character.`);
  }
  return value;
}

function parseTerms(search: unknown): string[] {
  if (typeof search !== "string")
    throw invalidInput("search", `search must be a text, not ${shown(search)}.`);
  if (search.length > MAX_SEARCH_LENGTH || hasForbiddenCharacter(search)) {
    throw invalidInput("search", `search cannot be ${shown(search)}: too long, or with a control character.`);
  }
  const terms = [...new Set(search.split(/\s+/).filter((term) => term !== ""))];
  if (terms.length > MAX_TERMS) throw invalidInput("search", `search has more than ${MAX_TERMS} words.`);
  return terms;
}

/** The order of a list: by a field, or by registration, newest first. */
export interface Order {
  readonly field: FilterField | undefined;
  readonly descending: boolean;
}

/** @throws RegistryError `invalid_input` for a field that lists cannot be sorted by. */
export function parseOrder(sort: ListOptions["sort"]): Order {
  if (sort === undefined) return { field: undefined, descending: true };
  checkKeys("sort", sort, SORT_KEYS);
  if (!FIELD_NAMES.has(sort.field)) {
    throw invalidInput(
      "sort",
      `Lists cannot be sorted by ${shown(sort.field)}; by ${[...FIELD_NAMES].join(", ")}.`,
    );
  }
  const direction =
    sort.direction === undefined ? "asc" : parseWord("direction", sort.direction, ["asc", "desc"]);
  return { field: sort.field, descending: direction === "desc" };
}
