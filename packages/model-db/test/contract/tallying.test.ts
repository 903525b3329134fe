import { describe, expect } from "vitest";

import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";

describe.each(ENGINES)("tallying models ($name)", ({ test }) => {
  test("an empty registry has none", async ({ registry }) => {
    expect(await registry.tally()).toEqual([]);
  });

  test("counts by source and by the status that is true now, over as many slices as it takes", async ({
    registry,
  }) => {
    await registry.models.createMany(Array.from({ length: 10_001 }, (_, index) => localModel(`m${index}`)));
    await registry.models.delete("m17");
    await registry.models.create({ modelId: "remote", sourceType: "remote" });
    await registry.runs.acquire("m0", { holder: "engine" });
    await registry.runs.acquire("m10000", { holder: "engine" });
    expect(new Set(await registry.tally())).toEqual(
      new Set([
        { sourceType: "local", status: 0, count: 9998 },
        { sourceType: "local", status: 1, count: 2 },
        { sourceType: "remote", status: 0, count: 1 },
      ]),
    );
  });
});
