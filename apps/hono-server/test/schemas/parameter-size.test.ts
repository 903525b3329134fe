import { expect, test } from "vitest";

import { toParameterSize } from "../../src/schemas/parameter-size.ts";

// From the tests of Ollama's `format.HumanNumber`.
test.for([
  [0, "0"],
  [999, "999"],
  [26_000, "26K"],
  [1_000_000, "1M"],
  [125_000_000, "125M"],
  [500_500_000, "500.50M"],
  [500_550_000, "500.55M"],
  [1_000_000_000, "1B"],
  [2_800_000_000, "2.8B"],
  [2_850_000_000, "2.9B"],
  [28_550_000_000, "28.6B"],
  [1_000_000_000_000, "1000B"],
] as const)("%i parameters are %s", ([count, text]) => {
  expect(toParameterSize(count)).toBe(text);
});
