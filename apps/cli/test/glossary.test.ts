import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { declareCli } from "../src/cli.ts";
import { longNames } from "../src/command-line.ts";

const glossary = readFileSync(new URL("../../../docs/glossary.md", import.meta.url), "utf8");

test("every flag that the glossary names is one of this program", () => {
  const cli = declareCli();
  const flags = [cli.globalCommand, ...cli.commands].flatMap(({ options }) => options.flatMap(longNames));
  const named = glossary
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .flatMap((line) => Array.from(line.split("|")[2]!.matchAll(/`([^`]+)`/g), ([, flag]) => flag!));
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((flag) => !flags.includes(flag))).toEqual([]);
});
