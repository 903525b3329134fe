/** What a caller could pass by mistake or on purpose, by what it is not. */

const symbol = Symbol("s");
const callback = (): number => 1;
// A list that is empty at both of its places, as JSON cannot be.
const holes: unknown[] = [];
holes.length = 2;

export const NOT_TEXT: readonly unknown[] = [
  null,
  0,
  Number.NaN,
  true,
  10n,
  symbol,
  callback,
  {},
  [],
  ["a"],
  new Date(0),
];

// The last ones have no keys: taken for options, they would ask for nothing, and a filter would be none.
export const NOT_OBJECT: readonly unknown[] = [
  null,
  0,
  "text",
  true,
  10n,
  symbol,
  callback,
  [],
  [1],
  new Date(0),
  new Map([["limit", 1]]),
  new Set(["a"]),
  Promise.resolve({}),
];

/** An object with a key that nothing has. */
export const STRANGE_KEYS: readonly unknown[] = [
  { nonsense: 1 },
  { "": 1 },
  { constructor: 1 },
  { "a; DROP TABLE model": 1 },
  { ["x".repeat(1 << 20)]: 1 },
  { "\u001B[2J": 1 },
  JSON.parse('{"__proto__": {"polluted": true}}'),
];

/** Texts that no text of one line may be. */
export const BROKEN_TEXT: readonly string[] = [
  "a\u0000b",
  "\u001B[2Ja",
  "a\nb",
  "a\rb",
  "a\u007F",
  "a\u0085b",
  "a\u009Bb",
  "a\u2028b",
  "\uD800",
  "a\uDC00b",
  "\uDE00\uD83D",
  "\u202Eabc",
  "a\u2066b",
  "\uFEFFa",
];

export const HUGE_TEXT: string = "x".repeat(1 << 20);

export const BROKEN_NAMES: readonly unknown[] = [
  ...NOT_TEXT,
  ...BROKEN_TEXT,
  "",
  " ",
  " a",
  "a ",
  "\u00A0a",
  "a\uFFFF",
  "\u{10FFFF}a",
  "x".repeat(1025),
  HUGE_TEXT,
];

export const BROKEN_TEXTS: readonly unknown[] = [
  ...NOT_TEXT.slice(1),
  ...BROKEN_TEXT,
  "x".repeat(4097),
  HUGE_TEXT,
];

export const BROKEN_NUMBERS: readonly unknown[] = [
  -1,
  1.5,
  Number.NaN,
  Infinity,
  -Infinity,
  2 ** 53,
  1e300,
  "5",
  "",
  "1; DROP TABLE model",
  10n,
  true,
  {},
  [],
  [5],
  symbol,
  new Date(0),
];

/** Before 1970, after 9999, and what is no number of milliseconds. */
export const BROKEN_TIMES: readonly unknown[] = [
  ...BROKEN_NUMBERS,
  -62_167_219_200_000,
  253_402_300_800_000,
  8.64e15,
  "2024-01-01",
  new Date("invalid"),
];

export const NOT_BOOLEAN: readonly unknown[] = [null, 0, 1, "", "true", {}, [], symbol];

export const BROKEN_LISTS: readonly unknown[] = [
  null,
  0,
  "a",
  true,
  {},
  { length: 1, 0: "a" },
  new Set(["a"]),
  holes,
  [null],
  [undefined],
  [1],
  [["a"]],
  [{}],
  [""],
  [" "],
  ["ok", "\uD800"],
  ["\u001B[2J"],
  [HUGE_TEXT],
  Array.from({ length: 1001 }, (_, index) => `n${index}`),
];

/** An object that holds itself. */
function circle(): unknown {
  const object: Record<string, unknown> = {};
  object["itself"] = object;
  return object;
}

/** 2^30 objects when walked, 31 in memory. Who walks on is told so, and stopped. */
export function bomb(onWalked?: () => void): unknown {
  let walked = 0;
  let object: unknown = { end: 1 };
  for (let depth = 0; depth < 30; depth++) {
    const inner = object;
    const right = (): unknown => {
      if (++walked <= 1_000_000) return inner;
      onWalked?.();
      throw new Error("walked through a million objects");
    };
    object = Object.defineProperty({ left: inner }, "right", { get: right, enumerable: true });
  }
  return object;
}

export const BROKEN_JSON: readonly unknown[] = [
  null,
  0,
  "text",
  [],
  [1],
  { a: undefined },
  { a: Number.NaN },
  { a: Infinity },
  { a: 10n },
  { a: symbol },
  { a: callback },
  { a: new Date(0) },
  { a: new Map() },
  { a: new URL("x:y") },
  { a: holes },
  { a: "\uD800" },
  { "\uDC00": 1 },
  { deep: [{ a: "\uD800" }] },
  JSON.parse('{"__proto__": {"polluted": true}}'),
  JSON.parse('{"a": [{"__proto__": 1}]}'),
  JSON.parse(`${'{"a":'.repeat(40)}1${"}".repeat(40)}`),
  JSON.parse(`{"a":${"[".repeat(40)}${"]".repeat(40)}}`),
  { a: HUGE_TEXT },
  { list: Array.from({ length: 100_000 }, () => Number.MAX_VALUE) },
  circle(),
  bomb(),
];

export const SQL: readonly string[] = [
  "'; DROP TABLE model; --",
  '" OR ""="',
  "' OR '1'='1",
  "1); DELETE FROM model_event; --",
  "a' UNION SELECT sql FROM sqlite_schema --",
  "$1 ? :name @x %s {0}",
  "\\'; VACUUM; --",
  "/* x */ NULL",
  "x'00'",
];
