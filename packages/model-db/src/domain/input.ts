import { invalidInput, type RegistryError } from "../errors.ts";
import type { JsonObject, JsonValue } from "./model.ts";
import { nearest } from "./nearest.ts";
import { hasForbiddenCharacter, toVisible } from "./text.ts";

/** The last millisecond of the year 9999; times run from 1970 to here. */
export const MAX_TIME_MS = 253_402_300_799_999;
export const MAX_NAME_LENGTH = 1024;
const MAX_TEXT_LENGTH = 4096;
const MAX_NOTES_LENGTH = 65_536;
const MAX_JSON_LENGTH = 1_048_576;
const MAX_JSON_VALUES = 100_000;
const MAX_JSON_DEPTH = 32;
const MAX_LIST_LENGTH = 1000;
const MAX_TAG_LENGTH = 64;

/** Shows a value in a message: short, and unable to drive a terminal. */
export function shown(value: unknown): string {
  const text = toVisible(written(value));
  // By characters: half of one is none.
  return text.length > 80 ? `${Array.from(text.slice(0, 160)).slice(0, 77).join("")}…` : text;
}

const KEYLESS = [Date, Map, Set, Promise] as const;

// Objects are only named: written out, a small one can be endless.
function written(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 200));
  if (Array.isArray(value)) return `a list of ${value.length}`;
  const known = KEYLESS.find((type) => value instanceof type);
  if (known !== undefined) return `a ${known.name}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  return String(value);
}

/** Refuses keys that are not known, naming the nearest. `undefined` values count as absent. */
export function checkKeys(what: string, input: unknown, known: ReadonlySet<string>): asserts input is object {
  const keys = keysOf(input);
  if (keys === undefined) throw invalidInput(what, `${what} must be an object, not ${shown(input)}.`);
  for (const key of keys) {
    if (known.has(key)) continue;
    const near = nearest(key, known);
    throw invalidInput(
      key,
      `${what} has no ${shown(key)}${near === undefined ? "" : `; did you mean ${shown(near)}?`}`,
    );
  }
}

// What says nothing because it holds its content otherwise, as a Date, a Map or a Promise does, must not
// count as saying nothing: a filter that was meant to narrow a list would not.
function keysOf(input: unknown): string[] | undefined {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return undefined;
  const keys = Object.keys(input);
  return keys.length === 0 && !isPlain(input) ? undefined : keys;
}

/** An id or an alias: 1 to 1,024 characters, none of them a control character, no blank at either end. */
export function parseName(field: string, value: unknown): string {
  if (typeof value !== "string") throw invalidInput(field, `${field} must be a text, not ${shown(value)}.`);
  if (value === "") throw invalidInput(field, `${field} must not be empty.`);
  checkText(field, value, MAX_NAME_LENGTH);
  if (value.trim() !== value) {
    throw invalidInput(field, `${field} must not begin or end with a blank: ${shown(value)}.`);
  }
  return value;
}

/** The beginning of a name, which may be empty or end with a blank. */
export function parsePrefix(value: unknown): string {
  if (typeof value !== "string") throw invalidInput("prefix", `prefix must be a text, not ${shown(value)}.`);
  checkText("prefix", value, MAX_NAME_LENGTH);
  return value;
}

/** A text of one line, at most 4,096 characters; `null` and the empty text mean "not known". */
export function parseText(field: string, value: unknown): string | null {
  if (value === null || value === "") return null;
  if (typeof value !== "string") throw invalidInput(field, `${field} must be a text, not ${shown(value)}.`);
  checkText(field, value, MAX_TEXT_LENGTH);
  return value;
}

/** Free text of several lines, at most 65,536 characters. */
export function parseNotes(field: string, value: unknown): string | null {
  if (value === null || value === "") return null;
  if (typeof value !== "string") throw invalidInput(field, `${field} must be a text, not ${shown(value)}.`);
  checkText(field, value.replace(/[\n\r\t]/g, " "), MAX_NOTES_LENGTH);
  return value;
}

function checkText(field: string, value: string, maxLength: number): void {
  if (value.length > maxLength) {
    throw invalidInput(
      field,
      `${field} has ${value.length.toLocaleString("en")} characters; at most ${maxLength.toLocaleString("en")} are allowed.`,
    );
  }
  if (hasForbiddenCharacter(value)) {
    throw invalidInput(
      field,
      `${field} holds a control character or a broken one: ${shown(value)}. Remove it.`,
    );
  }
}

/** One of a closed set of words. */
export function parseWord<T extends string>(field: string, value: unknown, words: readonly T[]): T {
  if (typeof value === "string" && (words as readonly string[]).includes(value)) return value as T;
  const near = typeof value === "string" ? nearest(value, words) : undefined;
  throw invalidInput(
    field,
    `${field} must be one of ${words.join(", ")}; not ${shown(value)}.${near === undefined ? "" : ` Did you mean ${near}?`}`,
  );
}

/** A whole number between two bounds, both included. */
export function parseInteger(
  field: string,
  value: unknown,
  min: number = 0,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= min && value <= max)
    return withoutSign(value);
  throw invalidInput(
    field,
    `${field} must be a whole number from ${min.toLocaleString("en")} to ${max.toLocaleString("en")}, not ${shown(value)}.`,
  );
}

// No store keeps the sign of -0.
function withoutSign(value: number): number {
  return value === 0 ? 0 : value;
}

/** Unix milliseconds from 1970 to 9999. */
export function parseTime(field: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= MAX_TIME_MS)
    return withoutSign(value);
  throw invalidInput(
    field,
    `${field} must be a time in Unix milliseconds between the years 1970 and 9999, not ${shown(value)}.`,
  );
}

export function parseBoolean(field: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw invalidInput(field, `${field} must be true or false, not ${shown(value)}.`);
}

// Spelled out here because it takes longer to get ready than a list of models to print.
function isTag(text: string): boolean {
  return text.length <= MAX_TAG_LENGTH && /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._:/=-]*$/u.test(text);
}

/** Labels, each once, in the order given. */
export function parseTags(field: string, value: unknown, maxLength?: number): string[] {
  return parseList(field, value, parseTag, maxLength);

  function parseTag(tag: unknown): string {
    if (typeof tag !== "string" || !isTag(tag)) {
      throw invalidInput(
        field,
        `${shown(tag)} is no ${field === "capabilities" ? "capability" : "tag"}: 1 to ${MAX_TAG_LENGTH} letters, digits and . _ : / = - are allowed, beginning with a letter or digit.`,
      );
    }
    return tag;
  }
}

/** A list of parsed items, each once; at most 1,000 when `maxLength` is left out. */
export function parseList(
  field: string,
  value: unknown,
  parse: (item: unknown) => string,
  maxLength: number = MAX_LIST_LENGTH,
): string[] {
  if (!Array.isArray(value)) throw invalidInput(field, `${field} must be a list, not ${shown(value)}.`);
  if (value.length > maxLength) {
    throw invalidInput(field, `${field} has ${value.length} items; at most ${maxLength} are allowed.`);
  }
  const items = new Set<string>();
  // By place, since a sparse list has holes that count.
  for (let place = 0; place < value.length; place++) items.add(parse(value[place]));
  return [...items];
}

/** A plain JSON object: at most 1 MiB as text, 100,000 values and 32 levels. */
export function parseObject(field: string, value: unknown): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalidInput(field, `${field} must be a JSON object, not ${shown(value)}.`);
  }
  const copy = new JsonCopy(field);
  const object = copy.copy(value, 0) as JsonObject;
  copy.checkLength(JSON.stringify(object).length);
  return object;
}

/** Copies JSON, and stops where it is too large: an object that stands in it many times is many objects. */
class JsonCopy {
  readonly #field: string;
  #length = 0;
  #values = 0;

  constructor(field: string) {
    this.#field = field;
  }

  copy(value: unknown, depth: number): JsonValue {
    if (depth > MAX_JSON_DEPTH) throw this.#refused(`is more than ${MAX_JSON_DEPTH} levels deep`);
    if (++this.#values > MAX_JSON_VALUES) {
      throw this.#refused(`holds more than ${MAX_JSON_VALUES.toLocaleString("en")} values`);
    }
    if (value === null || typeof value === "boolean") return value;
    if (typeof value === "number" && Number.isFinite(value)) return withoutSign(value);
    if (typeof value === "string") return this.#text(value);
    if (Array.isArray(value)) return Array.from(value, (item) => this.copy(item, depth + 1));
    if (typeof value !== "object" || !isPlain(value))
      throw this.#refused(`holds something that is no JSON: ${shown(value)}`);
    const copy: JsonObject = {};
    for (const [key, item] of Object.entries(value)) {
      if (key === "__proto__") throw this.#refused('must not have a key "__proto__"');
      copy[this.#text(key)] = this.copy(item, depth + 1);
    }
    return copy;
  }

  #text(text: string): string {
    this.#length += text.length;
    this.checkLength(this.#length);
    if (!text.isWellFormed()) throw this.#refused(`holds half a character: ${shown(text)}`);
    return text;
  }

  checkLength(length: number): void {
    if (length > MAX_JSON_LENGTH) {
      throw this.#refused(`is larger than ${MAX_JSON_LENGTH.toLocaleString("en")} characters`);
    }
  }

  #refused(why: string): RegistryError {
    return invalidInput(this.#field, `${this.#field} ${why}.`);
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
