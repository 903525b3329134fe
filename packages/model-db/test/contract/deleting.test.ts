import { describe, expect } from "vitest";

import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectRefusal } from "./refusal.ts";

describe.each(ENGINES)("deleting a model ($name)", ({ test }) => {
  test("gives the model as it was, and takes it away with all that belongs to it", async ({
    registry,
    store,
  }) => {
    const model = await registry.models.create(
      localModel("a", { alias: "b", aliases: ["c"], tags: ["t"], files: [{ path: "p", role: "weights" }] }),
    );
    expect(await registry.models.delete("c")).toEqual(model);
    for (const name of ["a", "b", "c"]) expect(await registry.models.findByName(name)).toBeUndefined();
    expect(await registry.models.count()).toBe(0);
    expect(await registry.models.count({ tags: { any: ["t"] } })).toBe(0);
    expect(await registry.models.count({ search: "abc" })).toBe(0);
    expect(await registry.models.names({ prefix: "" })).toEqual([]);
    await expectRefusal("model_not_found", registry.files.list("a"));
    await expectRefusal("model_not_found", registry.models.delete("a"));
    for (const table of ["model", "model_name", "model_tag", "model_file", "model_run"]) {
      expect(await store.query(`SELECT * FROM ${table}`), table).toEqual([]);
    }
  });

  test("its history stays, and has the whole record", async ({ registry }) => {
    await registry.models.create(localModel("a", { notes: "kept", files: [{ path: "p", role: "weights" }] }));
    await registry.models.delete("a", { actor: "cleaner" });
    expect((await registry.history.list({ modelId: "a" })).items).toMatchObject([
      {
        kind: "deleted",
        actor: "cleaner",
        before: { model_id: "a", notes: "kept", row_version: 1, files: [{ path: "p" }] },
        after: null,
      },
      { kind: "created", before: null },
    ]);
  });

  test("a running model is refused, by whomever", async ({ registry, store }) => {
    await registry.models.create(localModel("a"));
    const run = await registry.runs.acquire("a", { holder: "h" });
    const before = await store.dump();
    await expectRefusal("model_running", registry.models.delete("a"));
    await expectRefusal("model_running", registry.models.delete("a", { leaseToken: run.token }));
    expect(await store.dump()).toBe(before);
    await registry.runs.release(run.token);
    await registry.models.delete("a");
  });

  test("all its names are free again", async ({ registry }) => {
    await registry.models.create(localModel("a", { alias: "b", aliases: ["c"] }));
    await registry.models.delete("a");
    for (const id of ["a", "b", "c"]) await registry.models.create(localModel(id));
    expect(await registry.models.count()).toBe(3);
  });

  test("a model of the same id is a new one, with nothing of the old", async ({ registry }) => {
    await registry.models.create(
      localModel("a", { tags: ["t"], notes: "old", files: [{ path: "p", role: "weights" }] }),
    );
    await registry.models.delete("a");
    expect(await registry.models.create(localModel("a"))).toMatchObject({
      rowVersion: 1,
      tags: [],
      notes: null,
    });
    expect(await registry.files.list("a")).toEqual([]);
  });
});
