import { describe, expect } from "vitest";

import type { Model, ModelUpdate, NewModel } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

const changes: Required<Omit<ModelUpdate, "metadata">> = {
  sourceType: "huggingface",
  authorRepo: "someone",
  branch: "dev",
  configPath: "b.yml",
  alias: "primary",
  aliases: ["other"],
  availability: "partial",
  engine: "onnx",
  format: "safetensors",
  architecture: "qwen",
  quantization: "Q8_0",
  parameterCount: 2,
  contextLength: 3,
  sizeBytes: 4,
  capabilities: ["vision"],
  tags: ["new"],
  notes: "noted",
  pinned: true,
  owner: "ann",
  private: true,
  lastUsedAt: 5,
};

describe.each(ENGINES)("updating a model ($name)", ({ test }) => {
  test.for(Object.entries(changes))("%s alone can be changed", async ([key, value], { registry }) => {
    for (const name of ["ann", "bob"]) {
      await registry.access.users.create({ name, grants: [{ role: "reader" }] });
    }
    const before = await registry.models.create(
      localModel("a", { metadata: { kept: 1 }, tags: ["t"], owner: "bob" }),
    );
    const after = await registry.models.update("a", { [key]: value });
    expect(after).toEqual({
      ...before,
      [key]: value,
      rowVersion: 2,
      updatedAt: after.updatedAt,
      rowChecksum: after.rowChecksum,
    });
    expect(after.rowChecksum).not.toBe(before.rowChecksum);
    expect(after.updatedAt).toBeGreaterThanOrEqual(before.updatedAt);
    expect(await registry.models.get("a")).toEqual(after);
  });

  test.for([
    "authorRepo",
    "branch",
    "configPath",
    "alias",
    "engine",
    "sizeBytes",
    "notes",
    "lastUsedAt",
  ] as const)("%s can be taken away with null", async (key, { registry }) => {
    await registry.models.create({ modelId: "a", ...changes, owner: null, private: false });
    expect((await registry.models.update("a", { [key]: null }))[key]).toBeNull();
  });

  test("a model is found for a change by each of its names", async ({ registry }) => {
    await registry.models.create(localModel("a", { alias: "b", aliases: ["c"] }));
    for (const name of ["a", "b", "c"]) {
      expect((await registry.models.update(name, { notes: name })).notes).toBe(name);
    }
    await expectRefusal("model_not_found", registry.models.update("d", { notes: "x" }));
  });

  test("metadata is merged: null takes a key away, objects merge, all else replaces", async ({
    registry,
  }) => {
    // The examples of RFC 7396, appendix A, as far as both sides are objects.
    const examples: [NewModel["metadata"], ModelUpdate["metadata"], NewModel["metadata"]][] = [
      [{ a: "b" }, { a: "c" }, { a: "c" }],
      [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
      [{ a: "b" }, { a: null }, {}],
      [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
      [{ a: ["b"] }, { a: "c" }, { a: "c" }],
      [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
      [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
      [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
      [{ e: null }, { a: 1 }, { e: null, a: 1 }],
      [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
      [{ a: 1 }, { toString: { x: 1 }, constructor: null }, { a: 1, toString: { x: 1 } }],
    ];
    for (const [index, [target, patch, result]] of examples.entries()) {
      await registry.models.create(localModel(`m${index}`, { metadata: target! }));
      expect((await registry.models.update(`m${index}`, { metadata: patch! })).metadata).toEqual(result);
      expect((await registry.models.get(`m${index}`)).metadata).toEqual(result);
    }
  });

  test("metadata does not grow above its limit by merging", async ({ registry, store }) => {
    const half = "x".repeat(600_000);
    await registry.models.create(localModel("a", { metadata: { one: half } }));
    const before = await store.dump();
    await expectInvalid("metadata", registry.models.update("a", { metadata: { two: half } }));
    expect((await store.dump()) === before).toBe(true);
  });

  test("what makes no difference writes nothing", async ({ registry, store }) => {
    await registry.access.users.create({ name: "ann", grants: [{ role: "reader" }] });
    const model = await registry.models.create({ modelId: "a", metadata: { x: { y: [1] } }, ...changes });
    const before = await store.dump();
    const same: [string, ModelUpdate][] = [
      ["nothing", {}],
      ["undefined", { notes: undefined }],
      ["the same", changes],
      ["the same metadata", { metadata: { x: { y: [1] } } }],
      ["a key that is not there", { metadata: { none: null } }],
      ["the primary alias among the further ones", { aliases: ["other", "primary", "a"] }],
    ];
    for (const [what, update] of same) expect(await registry.models.update("a", update), what).toEqual(model);
    expect(await registry.models.changeTags("a", { add: ["new"], remove: ["none"] })).toEqual(model);
    expect(await registry.models.changeAliases("a", { add: ["other", "primary"] })).toEqual(model);
    expect(await registry.models.repointAlias("primary", "a")).toEqual(model);
    expect(await registry.models.repointAlias("other", "a")).toEqual(model);
    expect(await registry.models.repointAlias("a", "a")).toEqual(model);
    expect(await store.dump()).toBe(before);
  });

  test("an update with the version that was read succeeds, and a stale one is refused", async ({
    registry,
    store,
  }) => {
    const first = await registry.models.create(localModel("a"));
    const second = await registry.models.update(
      "a",
      { notes: "1" },
      { expectedRowVersion: first.rowVersion },
    );
    expect(second.rowVersion).toBe(2);
    const before = await store.dump();
    for (const stale of [1, 3, 1_000_000]) {
      const refusal = await expectRefusal(
        "row_version_mismatch",
        registry.models.update("a", { notes: "2" }, { expectedRowVersion: stale }),
      );
      expect(refusal.message).toContain("2");
    }
    expect(await store.dump()).toBe(before);
  });

  test("a stale version is refused in every change", async ({ registry, store }) => {
    await registry.models.create(localModel("a", { alias: "alias", tags: ["t"] }));
    await registry.models.create(localModel("b"));
    await registry.files.put("a", { path: "p", role: "weights" });
    const before = await store.dump();
    const stale = { expectedRowVersion: 1 };
    const attempts: [string, () => Promise<unknown>][] = [
      ["update", () => registry.models.update("a", { notes: "x" }, stale)],
      ["an update without a difference", () => registry.models.update("a", {}, stale)],
      ["changeAliases", () => registry.models.changeAliases("a", { add: ["x"] }, stale)],
      ["repointAlias", () => registry.models.repointAlias("b2", "a", stale)],
      ["changeTags", () => registry.models.changeTags("a", { add: ["x"] }, stale)],
      ["delete", () => registry.models.delete("a", stale)],
      ["files.put", () => registry.files.put("a", { path: "q", role: "weights" }, stale)],
      ["files.delete", () => registry.files.delete("a", "p", stale)],
      ["acquire", () => registry.runs.acquire("a", { holder: "h" }, stale)],
    ];
    for (const [what, attempt] of attempts) await expectRefusal("row_version_mismatch", attempt, what);
    expect(await store.dump()).toBe(before);
  });

  test("of many concurrent read-and-change rounds, with their versions, none is lost", async ({
    registry,
    store,
  }) => {
    await registry.models.create(localModel("a", { sizeBytes: 0 }));
    const handles = [registry, await store.open(), await store.open()];
    const increment = async (index: number): Promise<void> => {
      const { models } = handles[index % handles.length]!;
      for (;;) {
        const { sizeBytes, rowVersion } = await models.get("a");
        try {
          await models.update("a", { sizeBytes: sizeBytes! + 1 }, { expectedRowVersion: rowVersion });
          return;
        } catch (error) {
          expect((error as { code: string }).code).toBe("row_version_mismatch");
        }
      }
    };
    await Promise.all(Array.from({ length: 30 }, (_, index) => increment(index)));
    expect(await registry.models.get("a")).toMatchObject({ sizeBytes: 30, rowVersion: 31 });
  });

  test("the row version grows by one at each change", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    const versions: Model["rowVersion"][] = [];
    versions.push((await registry.models.update("a", { notes: "1" })).rowVersion);
    versions.push((await registry.models.changeTags("a", { add: ["x"] })).rowVersion);
    versions.push((await registry.models.changeAliases("a", { add: ["y"] })).rowVersion);
    await registry.files.put("a", { path: "p", role: "other" });
    versions.push((await registry.models.get("a")).rowVersion);
    const { token } = await registry.runs.acquire("a", { holder: "h" });
    versions.push((await registry.models.get("a")).rowVersion);
    await registry.runs.release(token);
    versions.push((await registry.models.get("a")).rowVersion);
    expect(versions).toEqual([2, 3, 4, 5, 6, 7]);
  });

  test("the id, the status and the times of the record cannot be changed", async ({ registry, store }) => {
    await registry.models.create(localModel("a"));
    const before = await store.dump();
    for (const update of [
      { modelId: "b" },
      { createdAt: 1 },
      { updatedAt: 1 },
      { status: 1 },
      { rowVersion: 9 },
      { rowChecksum: "" },
      { files: [] },
    ]) {
      await expectInvalid(Object.keys(update)[0], registry.models.update("a", update as never));
    }
    expect(await store.dump()).toBe(before);
  });
});
