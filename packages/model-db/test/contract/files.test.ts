import { describe, expect } from "vitest";

import { FILE_ROLES, toFileRecord } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectRefusal } from "./refusal.ts";

const weights = {
  path: "models/a b/ö.gguf",
  role: "weights",
  sizeBytes: Number.MAX_SAFE_INTEGER,
  sha256: "0123456789abcdef".repeat(4),
  verifiedAt: 1,
  source: "https://example.org/x?y=1",
} as const;

describe.each(ENGINES)("the files of a model ($name)", ({ test }) => {
  test("are kept as they were given, by path", async ({ registry, store }) => {
    await registry.models.create(localModel("a", { alias: "alias" }));
    expect(await registry.files.put("alias", weights)).toEqual(weights);
    const bare = await registry.files.put("a", { path: "Z", role: "config" });
    expect(bare).toEqual({
      path: "Z",
      role: "config",
      sizeBytes: null,
      sha256: null,
      verifiedAt: null,
      source: null,
    });
    await registry.close();
    expect(await (await store.open()).files.list("alias")).toEqual([bare, weights]);
  });

  test.for(FILE_ROLES)("can be %s", async (role, { registry }) => {
    await registry.models.create(localModel("a"));
    expect((await registry.files.put("a", { path: "x", role })).role).toBe(role);
  });

  test("one with the same path is replaced", async ({ registry }) => {
    await registry.models.create(localModel("a"));
    await registry.files.put("a", weights);
    await registry.files.put("a", { path: weights.path, role: "other" });
    expect(await registry.files.list("a")).toMatchObject([{ role: "other", sizeBytes: null }]);
  });

  test("are never said to be ours by whoever comes through a service", async ({ registry }) => {
    await registry.models.create(localModel("a", { files: [weights] }));
    await registry.access.users.create({ name: "ann", grants: [{ role: "admin" }] });
    const { token } = await registry.access.tokens.create("ann");
    const mine = registry.as({ identity: await registry.access.authenticate(token) });
    const victim = { ...weights, path: "models/not-ours.gguf" };
    const disowned = { ...victim, source: null };
    expect(await mine.files.put("a", victim)).toEqual(disowned);
    await mine.files.change("a", { remove: [], put: [victim] });
    await mine.models.create(localModel("b", { files: [victim, weights] }));
    await mine.models.createMany([localModel("c", { files: [victim] })]);
    await mine.transaction(({ files }) => files.put("c", { ...weights, source: "https://example.org/y" }));
    expect(await registry.files.listAt([victim.path])).toEqual(
      ["a", "b", "c"].map((modelId) => ({ modelId, ...disowned })),
    );
    // What is recorded of a path already can be repeated, so that a copy of a model is one of its files, too.
    expect(await registry.files.listAt([weights.path])).toMatchObject([
      { modelId: "a", source: weights.source },
      { modelId: "b", source: weights.source },
      { modelId: "c", source: null },
    ]);
  });

  test("move in one step, with one entry in the history", async ({ registry }) => {
    await registry.models.create(localModel("a", { files: [weights, { path: "x", role: "config" }] }));
    const moved = { ...weights, path: "elsewhere/ö.gguf" };
    await registry.files.change("a", { remove: [weights.path], put: [moved, { path: "x", role: "config" }] });
    expect(await registry.files.list("a")).toMatchObject([moved, { path: "x" }]);
    const { items } = await registry.history.list({ kind: "files_changed" });
    expect(items).toMatchObject([
      { before: { files: [toFileRecord(weights)] }, after: { files: [toFileRecord(moved)] } },
    ]);
    await expectRefusal("not_found", registry.files.change("a", { remove: ["y", "x"], put: [] }));
    expect((await registry.models.get("a")).rowVersion).toBe(2);
  });

  test("a file is a change of its model", async ({ registry }) => {
    const created = await registry.models.create(localModel("a"));
    await registry.files.put("a", weights);
    const after = await registry.models.get("a");
    expect(after).toEqual({
      ...created,
      rowVersion: 2,
      updatedAt: after.updatedAt,
      rowChecksum: after.rowChecksum,
    });
    await registry.files.delete("a", weights.path);
    expect((await registry.models.get("a")).rowVersion).toBe(3);
    const { items } = await registry.history.list({ kind: "files_changed", order: "asc" });
    expect(items).toMatchObject([
      { rowVersion: 2, before: { files: [] }, after: { files: [toFileRecord(weights)] } },
      { rowVersion: 3, before: { files: [toFileRecord(weights)] }, after: { files: [] } },
    ]);
  });

  test("the same file again writes nothing", async ({ registry, store }) => {
    await registry.models.create(localModel("a"));
    await registry.files.put("a", weights);
    const before = await store.dump();
    await registry.files.put("a", weights);
    expect(await store.dump()).toBe(before);
  });

  test("the same path can belong to several models", async ({ registry }) => {
    for (const id of ["a", "b"]) {
      await registry.models.create(localModel(id));
      await registry.files.put(id, weights);
    }
    await registry.files.delete("a", weights.path);
    expect(await registry.files.list("a")).toEqual([]);
    expect(await registry.files.list("b")).toEqual([weights]);
  });

  test("a file that is not there, and one of no model, are refused", async ({ registry, store }) => {
    await registry.models.create(localModel("a"));
    const before = await store.dump();
    await expectRefusal("not_found", registry.files.delete("a", "none"));
    await expectRefusal("model_not_found", registry.files.put("none", weights));
    await expectRefusal("model_not_found", registry.files.delete("none", "x"));
    await expectRefusal("model_not_found", registry.files.list("none"));
    expect(await store.dump()).toBe(before);
  });

  test("of several models come at once, by the name asked for", async ({ registry }) => {
    for (const modelId of ["a", "b", "c"]) await registry.models.create(localModel(modelId));
    await registry.models.update("b", { alias: "other" });
    await registry.files.put("a", weights);
    await registry.files.put("b", { ...weights, path: "y" });
    const first = await registry.files.put("b", { path: "x", role: "config" });
    const found = await registry.files.listMany(["other", "b", "a", "c", "none"]);
    const ofB = [first, { ...weights, path: "y" }];
    expect(found).toEqual(
      new Map([
        ["other", ofB],
        ["b", ofB],
        ["a", [weights]],
        ["c", []],
      ]),
    );
    expect(await registry.files.listMany([])).toEqual(new Map());
  });

  test("are found by their content and by their path, whoever's they are", async ({ registry }) => {
    for (const modelId of ["b", "a"]) await registry.models.create(localModel(modelId));
    const content = "a".repeat(64);
    const inB = await registry.files.put("b", { path: "x", role: "weights", sha256: content });
    const inA = await registry.files.put("a", { path: "x", role: "mmproj", sha256: content });
    const other = await registry.files.put("a", { path: "y", role: "config" });
    const both = [
      { modelId: "b", ...inB },
      { modelId: "a", ...inA },
    ];
    expect(await registry.files.listWithContent([content, "b".repeat(64)])).toEqual(both);
    expect(await registry.files.listAt(["x"])).toEqual(both);
    expect(await registry.files.listAt(["y", "z"])).toEqual([{ modelId: "a", ...other }]);
    expect(await registry.files.listAt([])).toEqual([]);
    await expectRefusal("invalid_input", registry.files.listWithContent(["A".repeat(64)]));
  });

  test("of models that somebody does not see are not found", async ({ registry }) => {
    const content = "a".repeat(64);
    const file = { path: "x", role: "weights", sha256: content } as const;
    const { grants } = await registry.access.users.create({
      name: "ann",
      grants: [{ role: "reader", pattern: "a*" }],
    });
    for (const modelId of ["a", "b"]) await registry.models.create(localModel(modelId, { files: [file] }));
    const { files } = registry.as({ identity: { user: "ann", grants, scopes: [], tokenId: null } });
    expect((await files.listWithContent([content])).map(({ modelId }) => modelId)).toEqual(["a"]);
    expect((await files.listAt(["x"])).map(({ modelId }) => modelId)).toEqual(["a"]);
  });

  test("5,000 files can be recorded with a model in under 2 s", async ({ registry }) => {
    const files = Array.from({ length: 5000 }, (_, index) => ({
      path: `shard-${index}`,
      role: "weights" as const,
    }));
    const start = performance.now();
    await registry.models.create(localModel("a", { files }));
    expect(performance.now() - start).toBeLessThan(2000);
    expect(await registry.files.list("a")).toHaveLength(5000);
  });
});
