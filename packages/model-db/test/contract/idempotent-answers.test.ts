import { describe, expect } from "vitest";

import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid } from "./refusal.ts";

const KEPT = { requestSha256: "f".repeat(64), answer: "done" };

describe.each(ENGINES)("answers kept for a key ($name)", ({ test }) => {
  test("are found by who asked, the key and the part", async ({ registry }) => {
    await registry.idempotentAnswers.keep("k", 0, KEPT);
    expect(await registry.idempotentAnswers.find("k", 0)).toEqual(KEPT);
    expect(await registry.idempotentAnswers.find("k", 1)).toBeUndefined();
    expect(await registry.idempotentAnswers.find("other", 0)).toBeUndefined();
    const other = registry.as({ identity: null, actor: "somebody else" });
    expect(await other.idempotentAnswers.find("k", 0)).toBeUndefined();
  });

  test("are there exactly if the change is that they answer to", async ({ registry }) => {
    const giveUp = new Error("given up");
    const work = registry.transaction(async ({ models, idempotentAnswers }) => {
      await models.create(localModel("a"));
      await idempotentAnswers.keep("k", 0, KEPT);
      throw giveUp;
    });
    await expect(work).rejects.toBe(giveUp);
    expect(await registry.idempotentAnswers.find("k", 0)).toBeUndefined();
    expect(await registry.models.find("a")).toBeUndefined();
  });

  test("are refused under no key, or one that is too long", async ({ registry }) => {
    for (const key of ["", "x".repeat(256), "a\u0000"]) {
      await expectInvalid("idempotency_key", registry.idempotentAnswers.find(key, 0));
      await expectInvalid("idempotency_key", registry.idempotentAnswers.keep(key, 0, KEPT));
    }
  });
});
