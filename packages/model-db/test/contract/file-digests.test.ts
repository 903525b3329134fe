import { describe, expect } from "vitest";

import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid } from "./refusal.ts";

const KEPT = {
  path: "/models/a.gguf",
  sizeBytes: 7,
  modifiedAt: 1_700_000_000_000,
  inode: "18446744073709551615",
  sampleSha256: "e".repeat(64),
  sha256: null,
};

describe.each(ENGINES)("digests of files ($name)", ({ test }) => {
  test("are found by the path, until they are replaced or forgotten", async ({ registry }) => {
    const { fileDigests } = registry;
    const whole = { ...KEPT, path: "/models/b.gguf", sha256: "f".repeat(64) };
    await fileDigests.keepMany([KEPT, whole]);
    const found = await fileDigests.findMany([KEPT.path, "/elsewhere", whole.path]);
    expect([...found.values()]).toEqual([KEPT, whole]);
    await fileDigests.keepMany([{ ...KEPT, sizeBytes: 8 }]);
    await fileDigests.forgetMany([whole.path, "/elsewhere"]);
    expect([...(await fileDigests.findMany([KEPT.path, whole.path])).values()]).toEqual([
      { ...KEPT, sizeBytes: 8 },
    ]);
  });

  test("are kept together with a change, or not at all", async ({ registry }) => {
    const giveUp = new Error("given up");
    const work = registry.transaction(async ({ models, fileDigests }) => {
      await models.create(localModel("a"));
      await fileDigests.keepMany([KEPT]);
      throw giveUp;
    });
    await expect(work).rejects.toBe(giveUp);
    expect((await registry.fileDigests.findMany([KEPT.path])).size).toBe(0);
  });

  test("that are none are refused, and all that were kept with them", async ({ registry }) => {
    const { fileDigests } = registry;
    await expectInvalid("sha256", fileDigests.keepMany([KEPT, { ...KEPT, sha256: "F".repeat(64) }]));
    await expectInvalid("path", fileDigests.keepMany([{ ...KEPT, path: "" }]));
    await expectInvalid("size_bytes", fileDigests.keepMany([{ ...KEPT, sizeBytes: -1 }]));
    expect((await fileDigests.findMany([KEPT.path])).size).toBe(0);
  });

  test("are not for somebody who may only read", async ({ registry }) => {
    await registry.access.users.create({ name: "ann", grants: [{ role: "reader" }] });
    const { token } = await registry.access.tokens.create("ann");
    const identity = await registry.access.authenticate(token);
    const hers = registry.as({ identity });
    await expect(hers.fileDigests.findMany([KEPT.path])).rejects.toThrow(
      expect.objectContaining({ code: "permission_denied" }),
    );
    await expect(hers.fileDigests.keepMany([KEPT])).rejects.toThrow(
      expect.objectContaining({ code: "permission_denied" }),
    );
  });
});
