import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";

import type { NewModel, NewModelFile } from "@cortex/model-db";
import { lockFile } from "@cortex/model-db/file-lock";
import { describe, expect, test } from "vitest";

import {
  modelFolders,
  planPrune,
  prune,
  type ModelsFolder,
  type PruneOptions,
  type PrunePlan,
  type PruneReport,
} from "../../src/index.ts";
import { RegistryFolder } from "../registry-folder.ts";

const KB = 4096;
const DAY = 86_400_000;
const foldersOf = ({ registry }: RegistryFolder, env = {}): Promise<ModelsFolder[]> =>
  modelFolders(env, registry.location);

const plan = async (folder: RegistryFolder, options: PruneOptions = {}, env = {}): Promise<PrunePlan> =>
  planPrune(folder.registry, await foldersOf(folder, env), options);

async function run(folder: RegistryFolder, options: PruneOptions = {}): Promise<PruneReport> {
  return prune(folder.registry, await foldersOf(folder), await plan(folder, options));
}

const idsOf = ({ models }: PrunePlan): string[] => models.map(({ modelId }) => modelId);
const unused: PruneOptions = { unusedSince: Date.now() + DAY };

/** Writes a file as a pull does: below the models folder, with the URL that it came from. */
function fetched(
  folder: RegistryFolder,
  name: string,
  kilobytes = 1,
  record: Partial<NewModelFile> = {},
): NewModelFile {
  const source = `https://huggingface.co/${name}`;
  const content = Buffer.alloc(kilobytes * KB, name);
  return folder.write(`models/huggingface.co/${name}`, content, {
    source,
    verifiedAt: Date.now(),
    ...record,
  });
}

/** Registers a model that was fetched some days ago. */
async function fetchedModel(
  folder: RegistryFolder,
  modelId: string,
  days: number,
  files: NewModelFile[],
  rest: Partial<NewModel> = {},
): Promise<void> {
  const createdAt = Date.now() - days * DAY;
  for (const { path } of files) if (existsSync(path)) utimesSync(path, 0, createdAt / 1000);
  const model = { modelId, sourceType: "huggingface", alias: null, createdAt, files, ...rest } as const;
  await folder.registry.models.create(model);
}

async function availabilityOf({ registry }: RegistryFolder, modelId: string): Promise<string> {
  return (await registry.models.get(modelId)).availability;
}

describe("pruning", () => {
  test("deletes what was not used since, and leaves the record for the next fetch", async () => {
    await using folder = await RegistryFolder.create();
    const [old, fresh] = [fetched(folder, "org/old/a.gguf", 3), fetched(folder, "org/new/b.gguf")];
    await fetchedModel(folder, "old", 100, [old], { notes: "kept" });
    await fetchedModel(folder, "fresh", 1, [fresh]);
    const options = { unusedSince: Date.now() - 90 * DAY };
    const planned = await plan(folder, options);
    expect(planned).toMatchObject({
      freedBytes: 3 * KB,
      leftBytes: KB,
      models: [{ modelId: "old", reason: "unused" }],
    });
    expect(existsSync(old.path)).toBe(true);
    const report = await run(folder, options);
    expect(report).toEqual({
      paths: [old.path],
      freedBytes: 3 * KB,
      modelIds: ["old"],
      kept: [],
      keptModels: [],
    });
    expect(existsSync(old.path)).toBe(false);
    expect(existsSync(folder.at("models/huggingface.co/org/old"))).toBe(false);
    expect(existsSync(fresh.path)).toBe(true);
    expect(await folder.registry.models.get("old")).toMatchObject({
      availability: "downloadable",
      notes: "kept",
    });
    expect(await folder.registry.files.list("old")).toMatchObject([
      { sha256: old.sha256, source: old.source },
    ]);
    const { items } = await folder.registry.history.list({ kind: "updated" });
    expect(items).toMatchObject([{ modelId: "old", after: { availability: "downloadable" } }]);
  });

  test("takes what was used, fetched or registered longest ago, until a budget is reached", async () => {
    await using folder = await RegistryFolder.create();
    for (const [name, days] of [
      ["a", 5],
      ["b", 4],
      ["c", 3],
      ["d", 2],
    ] as const)
      await fetchedModel(folder, name, days, [fetched(folder, `org/${name}/x.gguf`, 2)]);
    const now = Date.now();
    await folder.registry.models.update("a", { lastUsedAt: now - 1000 });
    const refetched = folder.at("models/huggingface.co/org/b/x.gguf");
    utimesSync(refetched, 0, now / 1000);
    expect(idsOf(await plan(folder, { toBytes: 0 }))).toEqual(["c", "d", "a", "b"]);
    expect(await plan(folder, { toBytes: 4 * KB })).toMatchObject({
      freedBytes: 4 * KB,
      leftBytes: 4 * KB,
      models: [{ modelId: "c" }, { modelId: "d" }],
    });
    expect(idsOf(await plan(folder, { toBytes: 5 * KB }))).toEqual(["c", "d"]);
    expect(await plan(folder, { toBytes: 8 * KB })).toMatchObject({
      models: [],
      freedBytes: 0,
      leftBytes: 8 * KB,
    });
    expect(idsOf(await plan(folder, { toBytes: 0, unusedSince: Date.now() - 2.5 * DAY }))).toEqual(["c"]);
  });

  test("never takes what is pinned, runs, is being fetched or could not be fetched again", async () => {
    await using folder = await RegistryFolder.create();
    const { registry } = folder;
    const add = (
      name: string,
      rest: Partial<NewModel> = {},
      file: Partial<NewModelFile> = {},
    ): Promise<void> => fetchedModel(folder, name, 9, [fetched(folder, `org/${name}/x.gguf`, 1, file)], rest);
    await add("pinned", { pinned: true });
    await add("running");
    await registry.runs.acquire("running", { holder: "test" });
    await add("fetching");
    const files = [{ path: "x", role: "weights", url: "https://example.org/x" }] as const;
    const { transfer } = await registry.transfers.request({
      reference: "x",
      modelId: "fetching",
      sourceType: "huggingface",
      folder: folder.at("models"),
      files,
    });
    await registry.transfers.pause(transfer.transferId);
    await add("copied", {}, { source: "file:///home/ann/x.gguf" });
    const planned = await plan(folder, unused);
    expect(idsOf(planned)).toEqual([]);
    expect(planned.kept.map(({ modelId }) => modelId).toSorted()).toEqual([
      "copied",
      "fetching",
      "pinned",
      "running",
    ]);
    expect(idsOf(await plan(folder, { toBytes: 0 }))).toEqual([]);
  });

  test("never takes a file that was not written by us", async () => {
    await using folder = await RegistryFolder.create();
    const inPlace = fetched(folder, "org/in-place/x.gguf", 1, { source: null });
    const outside = folder.write("elsewhere/x.gguf", "outside", { source: "https://example.org/x" });
    const replaced = fetched(folder, "org/replaced/x.gguf");
    const linked = fetched(folder, "org/linked/x.gguf");
    const away = fetched(folder, "org/away/x.gguf");
    for (const [name, file] of Object.entries({ inPlace, outside, replaced, linked, away }))
      await fetchedModel(folder, name, 9, [file]);
    writeFileSync(replaced.path, "somebody's own file");
    renameSync(linked.path, folder.at("elsewhere/linked"));
    symlinkSync(folder.at("elsewhere/linked"), linked.path);
    // A folder on the way leads out.
    mkdirSync(folder.at("elsewhere/away"));
    writeFileSync(folder.at("elsewhere/away/x.gguf"), readFileSync(away.path));
    rmSync(folder.at("models/huggingface.co/org/away"), { recursive: true });
    symlinkSync(folder.at("elsewhere/away"), folder.at("models/huggingface.co/org/away"));
    for (const options of [unused, { toBytes: 0 }]) {
      expect(await plan(folder, options)).toMatchObject({ models: [], freedBytes: 0 });
      expect((await run(folder, options)).paths).toEqual([]);
    }
    for (const modelId of ["inPlace", "outside", "replaced", "linked", "away"])
      await folder.registry.models.update(modelId, { availability: "downloadable" });
    expect(await plan(folder)).toMatchObject({ leftovers: [], freedBytes: 0 });
  });

  test("never takes a file from a folder that is read-only", async () => {
    await using folder = await RegistryFolder.create();
    await fetchedModel(folder, "a", 9, [fetched(folder, "org/a/x.gguf")]);
    expect(idsOf(await plan(folder, unused, { CORTEX_MODELS: `${folder.at("models")}(ro)` }))).toEqual([]);
    expect(idsOf(await plan(folder, unused, { CORTEX_MODELS: folder.at("models") }))).toEqual(["a"]);
  });

  test("leaves a file to the other models that have it", async () => {
    await using folder = await RegistryFolder.create();
    const projector = fetched(folder, "org/v/mmproj.gguf", 5, { role: "mmproj" });
    const [q4, q8] = [fetched(folder, "org/v/q4.gguf"), fetched(folder, "org/v/q8.gguf")];
    await fetchedModel(folder, "q4", 9, [q4, projector]);
    await fetchedModel(folder, "q8", 1, [q8, projector]);
    const options = { unusedSince: Date.now() - 5 * DAY };
    expect(await plan(folder, options)).toMatchObject({ freedBytes: KB, leftBytes: 6 * KB });
    expect((await run(folder, options)).paths).toEqual([q4.path]);
    // The record of q4 does not hold the projector back: it is not here.
    expect(await plan(folder, unused)).toMatchObject({ freedBytes: 6 * KB, leftBytes: 0 });
    expect((await run(folder, unused)).paths.toSorted()).toEqual([projector.path, q8.path].toSorted());
  });

  test("says what is really freed: nothing as long as the content has another name", async () => {
    await using folder = await RegistryFolder.create();
    const a = fetched(folder, "org/a/x.gguf", 2);
    const b = fetched(folder, "org/b/x.gguf", 3);
    linkSync(a.path, folder.at("somebody-has-it"));
    const twin = { ...b, path: folder.at("models/huggingface.co/org/b/y.gguf") };
    linkSync(b.path, twin.path);
    await fetchedModel(folder, "a", 9, [a]);
    await fetchedModel(folder, "b", 9, [b]);
    expect(await plan(folder, unused)).toMatchObject({ models: [], freedBytes: 0, leftBytes: 0 });
    await fetchedModel(folder, "twin", 9, [twin]);
    const planned = await plan(folder, unused);
    expect(planned).toMatchObject({ freedBytes: 3 * KB, leftBytes: 0 });
    expect(idsOf(planned).toSorted()).toEqual(["b", "twin"]);
    expect(planned.kept).toMatchObject([{ modelId: "a" }]);
    expect(await run(folder, unused)).toMatchObject({
      freedBytes: 3 * KB,
      modelIds: expect.arrayContaining(["b"]),
    });
    expect(existsSync(a.path)).toBe(true);
    expect(await availabilityOf(folder, "a")).toBe("present");
  });

  test("looks again before it deletes: what was pinned, started, used or replaced meanwhile stays", async () => {
    await using folder = await RegistryFolder.create();
    const { registry } = folder;
    const files: Record<string, NewModelFile> = {};
    for (const name of ["pinned", "running", "used", "replaced", "wanted", "gone"]) {
      files[name] = fetched(folder, `org/${name}/x.gguf`);
      await fetchedModel(folder, name, 9, [files[name]]);
    }
    const planned = await plan(folder, unused);
    expect(planned.models).toHaveLength(6);
    await registry.models.update("pinned", { pinned: true });
    await registry.runs.acquire("running", { holder: "test" });
    await registry.models.update("used", { lastUsedAt: Date.now() });
    const content = readFileSync(files["replaced"]!.path);
    rmSync(files["replaced"]!.path);
    writeFileSync(folder.at("other"), content);
    renameSync(folder.at("other"), files["replaced"]!.path);
    await folder.model("wants", { ...files["wanted"]!, source: null });
    const report = await prune(registry, await foldersOf(folder), planned);
    expect(report.paths).toEqual([files["gone"]!.path]);
    expect(Object.fromEntries(report.keptModels.map(({ modelId, why }) => [modelId, why]))).toEqual({
      pinned: "it has been pinned",
      running: "it is running",
      used: "it was used meanwhile",
    });
    expect(Object.fromEntries(report.kept.map(({ path, why }) => [path, why]))).toEqual({
      [files["replaced"]!.path]: "is another file by now",
      [files["wanted"]!.path]: "is a file of wants",
    });
  });

  test("what an interrupted run has left is found by the next, unless it is wanted again", async () => {
    await using folder = await RegistryFolder.create();
    const [left, shared] = [fetched(folder, "org/a/x.gguf", 2), fetched(folder, "org/a/mmproj.gguf")];
    await fetchedModel(folder, "a", 9, [left, shared], { availability: "downloadable" });
    await fetchedModel(folder, "b", 1, [shared]);
    const planned = await plan(folder);
    expect(planned).toMatchObject({ freedBytes: 2 * KB, models: [] });
    const { transfer } = await folder.registry.transfers.request({
      reference: "a",
      modelId: "a",
      sourceType: "huggingface",
      folder: folder.at("models"),
      files: [{ path: "huggingface.co/org/a/x.gguf", role: "weights", url: left.source! }],
    });
    expect(await plan(folder)).toMatchObject({ leftovers: [] });
    expect(await prune(folder.registry, await foldersOf(folder), planned)).toMatchObject({
      paths: [],
      kept: [{ path: left.path, why: "is being fetched for a" }],
    });
    await folder.registry.transfers.cancel(transfer.transferId);
    expect((await run(folder)).paths).toEqual([left.path]);
    expect(await availabilityOf(folder, "a")).toBe("downloadable");
  });

  test("what is said not to be here goes by the same rules", async () => {
    await using folder = await RegistryFolder.create();
    const away = { availability: "downloadable" } as const;
    const only = fetched(folder, "org/only/x.gguf", 1, { source: "file:///home/ann/x.gguf" });
    await fetchedModel(folder, "only", 9, [only], away);
    await fetchedModel(folder, "pinned", 9, [fetched(folder, "org/p/x.gguf")], { ...away, pinned: true });
    expect(await plan(folder)).toMatchObject({ leftovers: [], freedBytes: 0 });
  });

  test("deletes partial files of transfers that were given up, and no others", async () => {
    await using folder = await RegistryFolder.create();
    const { registry } = folder;
    const request = async (name: string): Promise<number> => {
      folder.write(`models/org/${name}.gguf.partial`, Buffer.alloc(KB));
      if (name === "running") folder.write("models/org/running.gguf.next", Buffer.alloc(KB));
      const files = [{ path: `org/${name}.gguf`, role: "weights", url: "https://example.org/x" }] as const;
      const wanted = {
        reference: name,
        modelId: name,
        sourceType: "huggingface",
        folder: folder.at("models"),
        files,
      } as const;
      return (await registry.transfers.request(wanted)).transfer.transferId;
    };
    for (const name of ["queued", "running", "paused", "failed", "cancelled", "again", "foreign"]) {
      const id = await request(name);
      const claim = await registry.transferWork.claim({ transferId: id });
      if (name === "failed")
        await registry.transferWork.fail(claim!, { code: "source_unreachable", message: "x" } as never);
      else if (name !== "running") {
        const isOurs = name !== "foreign";
        await registry.transferWork.release(claim!, [{ path: `org/${name}.gguf`, doneBytes: 0, isOurs }]);
      }
      if (name === "paused") await registry.transfers.pause(id);
      if (name === "cancelled" || name === "again" || name === "foreign") await registry.transfers.cancel(id);
      if (name === "again") await request(name);
    }
    for (const name of ["unknown.gguf.partial", "unknown.next"])
      folder.write(`models/org/${name}`, Buffer.alloc(KB));
    const planned = await plan(folder);
    expect(planned).toMatchObject({
      freedBytes: KB,
      partials: [{ path: folder.at("models/org/cancelled.gguf.partial") }],
    });
    const why = Object.fromEntries(planned.kept.map((one) => [one.modelId, one.why]));
    expect(why).toEqual({
      paused: expect.stringMatching(/paused.*transfer cancel \d+/),
      failed: expect.stringMatching(/failed.*transfer cancel \d+/),
    });
    await request("cancelled");
    expect(await prune(registry, await foldersOf(folder), planned)).toMatchObject({
      paths: [],
      kept: [{ why: "is being fetched" }],
    });
    const { items } = await registry.transfers.list({ modelId: "cancelled", state: "queued" });
    await registry.transfers.cancel(items[0]!.transferId);
    expect((await run(folder)).paths).toEqual([folder.at("models/org/cancelled.gguf.partial")]);
  });

  test("deletes partial files that nobody remembers, with what says how far they are", async () => {
    await using folder = await RegistryFolder.create();
    for (const name of ["a.gguf.partial", "a.gguf.partial.json", "b.gguf.cortex-repair.partial"])
      folder.write(`models/org/${name}`, "{}");
    {
      using _ = lockFile(`${folder.registry.location}.repairing`, String);
      await expect(run(folder)).rejects.toMatchObject({ code: "database_busy" });
    }
    expect((await run(folder)).paths).toHaveLength(2);
    expect(readdirSync(folder.at("models/org"))).toEqual([]);
  });

  test("takes a superseded revision only when the one in its place is here and verified", async () => {
    await using folder = await RegistryFolder.create();
    const superseded = { metadata: { superseded_by: "new" } };
    await fetchedModel(folder, "old", 1, [fetched(folder, "org/r/old.gguf")], superseded);
    expect(idsOf(await plan(folder))).toEqual([]);
    const next = fetched(folder, "org/r/new.gguf", 1, { verifiedAt: null });
    await fetchedModel(folder, "new", 0, [next]);
    expect(idsOf(await plan(folder))).toEqual([]);
    await folder.registry.files.put("new", { ...next, verifiedAt: 1 });
    expect(idsOf(await plan(folder))).toEqual(["old"]);
    expect(idsOf(await plan(folder, { partials: true }))).toEqual([]);
    expect(idsOf(await plan(folder, { superseded: true }))).toEqual(["old"]);
    await folder.registry.models.update("new", { availability: "partial" });
    expect(idsOf(await plan(folder))).toEqual([]);
  });
});
