import { isRegistryError } from "@cortex/model-db";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { parseStrictJson } from "../../src/request/strict-json.ts";

describe("JSON is read", () => {
  test("as JSON.parse reads it, whatever it holds", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.constantFrom(0, 1, 2), (value, indent) => {
        fc.pre(!JSON.stringify(value).includes("proto"));
        const text = JSON.stringify(value, null, indent);
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 2000 },
    );
  });

  test("where equal keys stand in different objects", () => {
    expect(parseStrictJson(`[{"a":{"a":1},"b":"a\\":"},{"a":[{"a":2},"a"]}]`)).toEqual([
      { a: { a: 1 }, b: 'a":' },
      { a: [{ a: 2 }, "a"] },
    ]);
  });

  test("with constructor and prototype where they mean nothing", () => {
    expect(parseStrictJson(`{"constructor":"Bosch","prototype":{"constructor":1}}`)).toBeTypeOf("object");
  });

  test("up to 40 levels deep", () => {
    expect(parseStrictJson(`${"[".repeat(40)}${"]".repeat(40)}`)).toHaveLength(1);
  });
});

describe("JSON is refused", () => {
  test.for([
    ["a key that stands twice", `{"a":1,"a":2}`],
    ["a key that stands twice, once in other letters", `{"a":1,"\\u0061":2}`],
    ["a key that stands twice far within", `[[{"x":{"a":{},"b":[{}],"a":1}}]]`],
    ["a key that stands twice around objects", `{"a":{"b":{}},"c":[],"a":{}}`],
    ["an object's prototype", `{"__proto__":{"isAdmin":true}}`],
    ["an object's prototype in other letters", `{"__proto\\u005f_":1}`],
    ["an object's prototype far within", `[{"a":[{"__proto__":1}]}]`],
    ["a prototype by its constructor", `{"constructor":{"x":1,"prototype":{"isAdmin":true}}}`],
    ["41 levels", `${"[".repeat(41)}${"]".repeat(41)}`],
    ["levels of objects without an end", `{"a":`.repeat(100_000)],
    ["nothing", ""],
    ["what begins like JSON", `{"a":1`],
    ["a string without an end", `{"a`],
    ["an escape without an end", `"\\`],
    ["a key with a broken escape", `{"\\x":1}`],
    ["two values", `{} {}`],
    ["a comma at the end", `[1,]`],
    ["a comment", `{} // x`],
    ["a byte order mark", `\ufeff{}`],
    ["a control character in a text", `"\u0001"`],
    ["NaN", "NaN"],
    ["single quotes", `{'a':1}`],
    ["a hexadecimal number", "0x10"],
  ] as const)("for %s", ([, text]) => {
    expect(() => parseStrictJson(text)).toThrow(expect.objectContaining({ code: "invalid_input" }));
  });

  test("whatever it is, with no other error", () => {
    const pieces = [
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      '"',
      "\\",
      " ",
      "a",
      "1",
      "__proto__",
      '"a":',
      "\\u0061",
      "null",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), (text) => {
        const error = errorOf(() => parseStrictJson(text.join("")));
        return error === undefined || isRegistryError(error);
      }),
      { numRuns: 5000 },
    );
  });

  test("in a moment, however large", () => {
    const keys = Array.from({ length: 90_000 }, (_, index) => `"key${index}":1`).join(",");
    const start = performance.now();
    parseStrictJson(`{${keys}}`);
    parseStrictJson(JSON.stringify(`"\\`.repeat(250_000)));
    expect(() => parseStrictJson(`{${keys},"key7":2}`)).toThrow(/"key7" twice/);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

function errorOf(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
