import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { hasForbiddenCharacter, nearest, toVisible } from "../../src/index.ts";

describe("visible text", () => {
  test.for([
    ["\u001B]0;title\u0007", "\\x1b]0;title\\x07"],
    ["a\nb\r\t", "a\\x0ab\\x0d\\x09"],
    ["\u0000\u007F\u009B31m", "\\x00\\x7f\\x9b31m"],
    ["\u202Egpj.exe", "\\u202egpj.exe"],
    ["\u2066x\u2069\u200F\u061C", "\\u2066x\\u2069\\u200f\\u061c"],
    ["\uFEFFa\u2028b\u2029", "\\ufeffa\\u2028b\\u2029"],
    ["\uD83Dx", "\\ud83dx"],
    ["x\uDE00", "x\\ude00"],
    ["", ""],
    ["Ünï/日本語 😀 'plain' 100%", "Ünï/日本語 😀 'plain' 100%"],
  ])("%j is shown as %s", ([text, shown]) => {
    expect(toVisible(text!)).toBe(shown);
    expect(hasForbiddenCharacter(text!)).toBe(text !== shown);
  });

  test("is harmless whatever the text, however often asked, and the same when shown again", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }),
        (one, other) => {
          for (const text of [one, other, one + other]) {
            const shown = toVisible(text);
            expect(hasForbiddenCharacter(shown)).toBe(false);
            expect(shown.isWellFormed()).toBe(true);
            expect(toVisible(shown)).toBe(shown);
            expect(hasForbiddenCharacter(text)).toBe(shown !== text);
          }
        },
      ),
    );
  });
});

describe("the nearest word", () => {
  const verbs = ["list", "show", "search", "update", "alias"];
  test.for([
    ["lst", "list"],
    ["lits", "list"],
    ["serach", "search"],
    ["udpate", "update"],
    ["alais", "alias"],
    ["aliass", "alias"],
    ["shwo", "show"],
    ["LIST", undefined],
    ["zzzzzz", undefined],
    ["", undefined],
  ] as const)("to %s is %s", ([word, expected]) => {
    expect(nearest(word, verbs)).toBe(expected);
  });

  test("is found in no time, however long the words", () => {
    const start = performance.now();
    expect(nearest("x".repeat(1 << 20), verbs)).toBeUndefined();
    expect(
      nearest(
        "model",
        Array.from({ length: 200 }, () => "y".repeat(1024)),
      ),
    ).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(500);
  });
});
