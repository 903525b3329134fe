import { globSync, readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { statusOf } from "../../src/errors.ts";
import { NATIVE_ROUTES } from "../../src/routes/native.ts";

const tests = globSync(`${import.meta.dirname}/*/*.test.ts`).map((path) => readFileSync(path, "utf8"));

test.for(NATIVE_ROUTES.map((route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const))(
  "every status of %s has a test that is named after it",
  ([name, { responses, errors }]) => {
    const text = tests.find((each) => each.includes(`describe("${name}", `));
    expect(text, `the tests of ${name}`).toBeDefined();
    const named = Array.from(text!.matchAll(/"((?:\d{3}(?:, then )?)+): /g), ([, words]) =>
      words!.split(", then "),
    );
    const wanted = new Set([...Object.keys(responses), ...errors.map((code) => String(statusOf(code)))]);
    expect([...wanted].filter((status) => !named.flat().includes(status))).toEqual([]);
  },
);
