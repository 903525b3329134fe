import { existsSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { modelFolders, planRemoval, removeModels, type RemovalPlan } from "../../src/index.ts";
import { RegistryFolder } from "../registry-folder.ts";

async function plan(folder: RegistryFolder, ...modelIds: string[]): Promise<RemovalPlan> {
  const { registry } = folder;
  const models = [...(await registry.models.resolveMany(modelIds)).values()];
  return planRemoval(registry, await modelFolders({}, registry.location), models);
}

const run = async ({ registry }: RegistryFolder, planned: RemovalPlan): ReturnType<typeof removeModels> =>
  removeModels(registry, await modelFolders({}, registry.location), planned);

const source = "https://example.org/x";

describe("taking models out with their files", () => {
  test("leaves a file that another model has, until that goes too", async () => {
    await using folder = await RegistryFolder.create();
    const shared = folder.write("models/shared", "shared", { source });
    const own = folder.write("models/org/own", "own", { source });
    await folder.model("a", own, shared);
    await folder.model("b", shared);
    const planned = await plan(folder, "a");
    expect(planned).toMatchObject({
      freedBytes: 3,
      kept: [{ path: shared.path, why: "is also another model's" }],
    });
    expect(await run(folder, planned)).toEqual({ paths: [own.path], freedBytes: 3, kept: [] });
    expect(existsSync(folder.at("models/org"))).toBe(false);
    expect(await folder.registry.models.find("a")).toBeUndefined();
    await run(folder, await plan(folder, "b"));
    expect(existsSync(shared.path)).toBe(false);
  });

  test("changes nothing where one of them runs", async () => {
    await using folder = await RegistryFolder.create();
    for (const name of ["a", "b"]) await folder.model(name, folder.write(`models/${name}`, name, { source }));
    const planned = await plan(folder, "a", "b");
    await folder.registry.runs.acquire("b", { holder: "test" });
    await expect(run(folder, planned)).rejects.toMatchObject({ code: "model_running" });
    for (const name of ["a", "b"]) {
      expect(existsSync(folder.at(`models/${name}`))).toBe(true);
      expect(await folder.registry.models.get(name)).toMatchObject({ availability: "present" });
    }
  });

  test("leaves a file that somebody has registered or fetches meanwhile", async () => {
    await using folder = await RegistryFolder.create();
    const files = ["a", "b"].map((name) => folder.write(`models/${name}`, name, { source }));
    await folder.model("both", ...files);
    const planned = await plan(folder, "both");
    await folder.model("other", files[0]!);
    expect(await run(folder, planned)).toMatchObject({
      paths: [files[1]!.path],
      kept: [{ path: files[0]!.path, why: "is a file of other" }],
    });
    expect(existsSync(files[0]!.path)).toBe(true);
  });
});
