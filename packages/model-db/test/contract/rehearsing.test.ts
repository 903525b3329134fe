import { describe, expect } from "vitest";

import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectRefusal } from "./refusal.ts";

describe.each(ENGINES)("a rehearsal ($name)", ({ test }) => {
  test("gives what would come of the changes, and makes none", async ({ registry, store }) => {
    await registry.models.create(localModel("a"));
    const before = await store.dump();
    const outcome = await registry.rehearse(async ({ models }) => {
      await models.create(localModel("b"));
      await models.delete("a");
      return (await models.list()).items.map(({ modelId }) => modelId);
    });
    expect(outcome).toEqual(["b"]);
    expect(await store.dump()).toBe(before);
  });

  test("is refused what would be refused", async ({ registry, store }) => {
    await registry.models.create(localModel("a"));
    const before = await store.dump();
    const rehearsal = registry.rehearse(({ models }) => models.create(localModel("a")));
    await expectRefusal("name_taken", rehearsal);
    expect(await store.dump()).toBe(before);
  });
});
