import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";

import type { Transfer } from "@cortex/model-db";
import { contentOf } from "@cortex/test-stores";
import { describe, expect, test } from "vitest";

import {
  checkRevisions,
  followTransfer,
  modelFolders,
  planPrune,
  prune,
  requestUpdate,
  type RevisionCheck,
} from "../../src/index.ts";
import { PullPlace } from "../transfers/pull-place.ts";

const REPO = "org/repo";
const FILE = "m.Q4_K_M.gguf";
const ID = `org:repo:${FILE}`;
const [OLD, NEW] = ["old weights", "new weights!"];

async function pull(place: PullPlace, reference: string): Promise<Transfer> {
  const { transferId } = await place.request(reference);
  return followTransfer(place.registry, transferId, { hub: place.hub });
}

async function check(place: PullPlace, ...names: string[]): Promise<RevisionCheck[]> {
  const { registry, hub } = place;
  return Array.fromAsync(
    checkRevisions(registry, registry.location, hub, names.length === 0 ? undefined : names),
  );
}

async function update(
  place: PullPlace,
  one: RevisionCheck,
): Promise<{ keptId: string | undefined; transfer: Transfer }> {
  const { registry, hub } = place;
  const folders = await modelFolders({}, registry.location);
  const requested = (await requestUpdate(registry, folders, hub, one))!;
  const { transferId } = requested.transfer;
  return { keptId: requested.keptId, transfer: await followTransfer(registry, transferId, { hub }) };
}

describe("newer revisions", () => {
  test("are found where files of a pulled model are others, and only there", async () => {
    await using place = await PullPlace.make();
    const { server } = place;
    const files = { [FILE]: OLD, "m.Q8_0.gguf": "eight", "README.md": "1" };
    const first = server.commit(REPO, files);
    await pull(place, `${REPO}:Q4_K_M`);
    await pull(place, `${REPO}:Q8_0`);
    await pull(place, `${REPO}:Q4_K_M@${first}`);
    await place.registry.models.create({ modelId: "local", sourceType: "local" });
    server.commit(REPO, { ...files, "README.md": "2" });
    expect((await check(place)).map(({ model, state }) => [model.modelId, state])).toEqual([
      [ID, "current"],
      ["org:repo:m.Q8_0.gguf", "current"],
    ]);
    const second = server.commit(REPO, { ...files, [FILE]: NEW });
    const before = server.requests.length;
    expect(await check(place)).toMatchObject([
      {
        model: { modelId: ID },
        state: "outdated",
        from: { commitId: first },
        commitId: second,
        changed: [FILE],
        changedBytes: NEW.length,
      },
      { model: { modelId: "org:repo:m.Q8_0.gguf" }, state: "current" },
    ]);
    expect(server.requests.length - before).toBeLessThanOrEqual(3);
    expect(await check(place, "org:repo:m.Q8_0.gguf")).toHaveLength(1);
  });

  test("of what is not in LFS are found by what git calls it", async () => {
    await using place = await PullPlace.make();
    const files = { "model.safetensors": OLD, "config.json": '{"a":1}' };
    place.server.commit("org/st", files);
    await pull(place, "org/st");
    place.server.commit("org/st", { ...files, "README.md": "x" });
    expect(await check(place)).toMatchObject([{ state: "current" }]);
    place.server.commit("org/st", { ...files, "config.json": '{"a":2}' });
    expect(await check(place)).toMatchObject([{ state: "outdated", changed: ["config.json"] }]);
  });

  test("of a source that cannot be asked are not known, and the others are asked all the same", async () => {
    await using place = await PullPlace.make();
    place.server.commit(REPO, { [FILE]: OLD });
    place.server.commit("org/zoo", { [FILE]: OLD });
    await pull(place, REPO);
    await pull(place, "org/zoo");
    place.server.fault({ kind: "status", status: 404 }, { on: "hub", path: "org/repo", times: 9 });
    expect(await check(place)).toMatchObject([
      { model: { modelId: ID }, state: "unknown", why: expect.stringMatching(/[^.]$/) },
      { state: "current" },
    ]);
  });

  test("take the place of the old one, which is kept under its commit until it is pruned", async () => {
    await using place = await PullPlace.make();
    const { registry, server } = place;
    const first = server.commit(REPO, { [FILE]: OLD });
    await pull(place, REPO);
    await registry.models.update(ID, { notes: "mine", tags: ["chat"] });
    const second = server.commit(REPO, { [FILE]: NEW });
    const [one] = await check(place);
    const { keptId, transfer } = await update(place, one!);
    expect(transfer.state).toBe("done");
    const path = place.models("huggingface.co/org/repo", FILE);
    const keptPath = place.models(`huggingface.co/org/repo@${first}`, FILE);
    expect(keptId).toBe(`org:repo@${first}:${FILE}`);
    expect([readFileSync(path, "utf8"), readFileSync(keptPath, "utf8")]).toEqual([NEW, OLD]);
    expect(await registry.models.get(ID)).toMatchObject({
      availability: "present",
      notes: "mine",
      metadata: { source: { commit_id: second } },
    });
    expect(await registry.models.get(keptId!)).toMatchObject({
      availability: "present",
      branch: first,
      alias: null,
      tags: ["chat"],
      metadata: { superseded_by: ID, source: { commit_id: first } },
    });
    expect((await check(place)).map(({ state }) => state)).toEqual(["current"]);

    const folders = await modelFolders({}, registry.location);
    const planned = await planPrune(registry, folders);
    expect(planned).toMatchObject({
      models: [{ modelId: keptId, reason: "superseded" }],
      freedBytes: OLD.length,
    });
    await prune(registry, folders, planned);
    expect([existsSync(path), existsSync(keptPath)]).toEqual([true, false]);
    // What was pruned can be had again, by its own name.
    expect((await pull(place, `${REPO}/${FILE}@${first}`)).modelId).toBe(keptId);
    expect(readFileSync(keptPath, "utf8")).toBe(OLD);
  });

  test("that do not arrive leave the old one as it is, and it is not superseded", async () => {
    await using place = await PullPlace.make();
    const { registry, server } = place;
    server.commit(REPO, { [FILE]: OLD });
    await pull(place, REPO);
    const second = server.commit(REPO, { [FILE]: NEW });
    server.fault({ kind: "status", status: 404 }, { on: "hub", path: `resolve/${second}`, times: 9 });
    const [one] = await check(place);
    const { keptId, transfer } = await update(place, one!);
    expect(transfer.state).toBe("failed");
    const path = place.models("huggingface.co/org/repo", FILE);
    expect(readFileSync(path, "utf8")).toBe(OLD);
    expect(statSync(path).nlink).toBe(2);
    expect(await registry.models.get(ID)).toMatchObject({ availability: "present" });
    const folders = await modelFolders({}, registry.location);
    expect(await planPrune(registry, folders)).toMatchObject({ models: [], freedBytes: 0 });
    expect(await registry.models.find(keptId!)).toBeDefined();
  });

  test("never take the place of what somebody has put there", async () => {
    await using place = await PullPlace.make();
    place.server.commit(REPO, { [FILE]: OLD });
    await pull(place, REPO);
    const path = place.models("huggingface.co/org/repo", FILE);
    writeFileSync(path, "my own, fine-tuned");
    place.server.commit(REPO, { [FILE]: NEW });
    const [one] = await check(place);
    await expect(update(place, one!)).rejects.toMatchObject({ code: "checksum_mismatch" });
    expect(readFileSync(path, "utf8")).toBe("my own, fine-tuned");
    expect((await place.registry.transfers.list({ state: "queued" })).items).toEqual([]);
  });

  test("keep no copy of a model of which a file is somebody else's", async () => {
    await using place = await PullPlace.make();
    const { registry, server } = place;
    const first = server.commit(REPO, { [FILE]: OLD });
    await pull(place, REPO);
    // As a scan records a projector that its user has put beside the weights.
    const projector = place.models("huggingface.co/org/repo/mmproj-mine.gguf");
    const content = contentOf("my projector");
    content.write(projector);
    const { sizeBytes, sha256 } = content;
    await registry.files.put(ID, { path: projector, role: "mmproj", sizeBytes, sha256, source: null });
    server.commit(REPO, { [FILE]: NEW });
    const [one] = await check(place);
    const { keptId, transfer } = await update(place, one!);
    expect([keptId, transfer.state]).toEqual([undefined, "done"]);
    expect(existsSync(place.models(`huggingface.co/org/repo@${first}`))).toBe(false);
    expect([readFileSync(projector, "utf8"), statSync(projector).nlink]).toEqual(["my projector", 1]);
    expect((await registry.models.list()).items.map(({ modelId }) => modelId)).toEqual([ID]);
  });

  test("of cortex.so are found by the branch that is its tag", async () => {
    await using place = await PullPlace.make();
    const { server, registry } = place;
    const first = server.commitCortexModel("tiny", "1b-gguf", OLD);
    await pull(place, "tiny:1b-gguf");
    server.commitCortexModel("tiny", "1b-gguf", NEW);
    const [one] = await check(place);
    expect(one).toMatchObject({ state: "outdated", reference: "cortexso/tiny:1b-gguf" });
    const { keptId } = await update(place, one!);
    expect(keptId).toBe(`tiny:${first}`);
    expect(readFileSync(place.models("cortex.so/tiny/1b-gguf/model.gguf"), "utf8")).toBe(NEW);
    expect(readFileSync(place.models(`cortex.so/tiny/${first}/model.gguf`), "utf8")).toBe(OLD);
    expect(await registry.models.get("tiny:1b-gguf")).toMatchObject({ availability: "present" });
  });
});
