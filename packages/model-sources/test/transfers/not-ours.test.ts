import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { llamaFile } from "@cortex/test-models";
import { describe, expect, test } from "vitest";

import { cancelTransfer, followTransfer, planRemoval, removeModels, requestPull } from "../../src/index.ts";
import { PullPlace } from "./pull-place.ts";

const REPO = "huggingface.co/org/repo";
const PROJECTOR = "mmproj-F16.gguf";

function write(path: string, content: Uint8Array | string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** Pulls until the transfer has ended or rests. */
async function pull(place: PullPlace, reference: string): Promise<number> {
  const { transferId } = await place.request(reference);
  await followTransfer(place.registry, transferId, { hub: place.hub });
  return transferId;
}

/** A pull that stops where a part of the file is here. */
async function interrupted(place: PullPlace): Promise<number> {
  place.server.commit("org/repo", { "m.gguf": { sizeBytes: 3_000_000, seed: 3 } });
  place.server.fault({ kind: "cut", atByte: 1_000_000 }, { times: 100 });
  const transferId = await pull(place, "org/repo");
  expect(await place.registry.transfers.get(transferId)).toMatchObject({ state: "failed" });
  expect(existsSync(place.models(REPO, "m.gguf.partial"))).toBe(true);
  place.server.clearFaults();
  return transferId;
}

describe("what somebody else has put in the place of a file", () => {
  test("is registered where it holds the same, and never deleted", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", { "m.gguf": llamaFile() });
    write(place.models(REPO, "m.gguf"), llamaFile());
    write(place.models(REPO, "m.yml"), "model: org:repo:m.gguf\ntemperature: 0.1\n");
    await pull(place, "org/repo");
    const files = await place.registry.files.list("org:repo:m.gguf");
    expect(files.map(({ role, source }) => [role, source])).toEqual([
      ["weights", null],
      ["config", null],
    ]);
    expect(await requestPull(place.registry, "org/repo", await place.options())).toMatchObject({
      model: { modelId: "org:repo:m.gguf" },
    });
    const { folders } = await place.options();
    const { items } = await place.registry.models.list();
    await removeModels(place.registry, folders, await planRemoval(place.registry, folders, items));
    expect(existsSync(place.models(REPO, "m.gguf"))).toBe(true);
    expect(readFileSync(place.models(REPO, "m.yml"), "utf8")).toContain("temperature: 0.1\n");
  });

  test("while it was being fetched stays when it is given up", async () => {
    await using place = await PullPlace.make();
    const transferId = await interrupted(place);
    write(place.models(REPO, "m.gguf"), "mine");
    await cancelTransfer(place.registry, transferId);
    expect(readFileSync(place.models(REPO, "m.gguf"), "utf8")).toBe("mine");
    expect(existsSync(place.models(REPO, "m.gguf.partial"))).toBe(false);
  });

  test("while it was being fetched stays when it goes on", async () => {
    await using place = await PullPlace.make();
    const transferId = await interrupted(place);
    write(place.models(REPO, "m.gguf"), "mine");
    await place.registry.transfers.resume(transferId);
    await followTransfer(place.registry, transferId, { hub: place.hub });
    expect(await place.registry.transfers.get(transferId)).toMatchObject({ errorCode: "name_taken" });
    expect(readFileSync(place.models(REPO, "m.gguf"), "utf8")).toBe("mine");
    await cancelTransfer(place.registry, transferId);
    expect(readFileSync(place.models(REPO, "m.gguf"), "utf8")).toBe("mine");
  });

  test("after a pull that wrote nothing stays when that is given up", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", { "m.gguf": { sizeBytes: 200_000, seed: 9 } });
    place.server.fault({ kind: "flip", atByte: 100_000 }, { times: 100 });
    const transferId = await pull(place, "org/repo");
    write(place.models(REPO, "m.gguf"), "mine");
    await cancelTransfer(place.registry, transferId);
    expect(readFileSync(place.models(REPO, "m.gguf"), "utf8")).toBe("mine");
  });

  test("under the name of a partial file is not overwritten", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", { "m.gguf": llamaFile() });
    write(place.models(REPO, "m.gguf.partial"), "mine");
    const transferId = await pull(place, "org/repo");
    expect(await place.registry.transfers.get(transferId)).toMatchObject({ errorCode: "name_taken" });
    await cancelTransfer(place.registry, transferId);
    expect(readFileSync(place.models(REPO, "m.gguf.partial"), "utf8")).toBe("mine");
  });

  test("and is no file of an old program stays as it is", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", { "m.gguf": llamaFile() });
    write(place.models(REPO, "m.yml"), "notes: mine\n");
    await pull(place, "org/repo");
    expect(readFileSync(place.models(REPO, "m.yml"), "utf8")).toBe("notes: mine\n");
    expect(await place.registry.models.get("org:repo:m.gguf")).toMatchObject({ configPath: null });
  });
});

describe("a file of two models", () => {
  const files = {
    "m.Q4_K_M.gguf": llamaFile(),
    "m.Q8_0.gguf": { sizeBytes: 2_000_000, seed: 4 },
    [PROJECTOR]: { sizeBytes: 3_000_000, seed: 5 },
  };

  test("stays when the pull that fetched it for one of them is given up", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", files);
    const first = await place.request("org/repo:Q4_K_M");
    // It has come to its projector when it is interrupted.
    const claim = (await place.registry.transferWork.claim())!;
    const progress = first.files.map(({ path }) => ({ path, doneBytes: 0, isOurs: true }));
    await place.registry.transferWork.release(claim, progress);
    await pull(place, "org/repo:Q8_0");
    await cancelTransfer(place.registry, first.transferId);
    expect(existsSync(place.models(REPO, PROJECTOR))).toBe(true);
  });

  test("is not replaced for one of them under the other", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", files);
    for (const name of ["Q4_K_M", "Q8_0"]) await pull(place, `org/repo:${name}`);
    const before = readFileSync(place.models(REPO, PROJECTOR));
    place.server.commit("org/repo", { ...files, [PROJECTOR]: { sizeBytes: 3_000_000, seed: 6 } });
    const transferId = await pull(place, "org/repo:Q4_K_M");
    const { state, errorMessage } = await place.registry.transfers.get(transferId);
    expect(state).toBe("failed");
    expect(errorMessage).toContain("also a file of org:repo:m.Q8_0.gguf");
    expect(readFileSync(place.models(REPO, PROJECTOR)).equals(before)).toBe(true);
  });

  test("is fetched by one pull at a time", async () => {
    await using place = await PullPlace.make();
    place.server.commit("org/repo", files);
    const asked = [await place.request("org/repo:Q4_K_M"), await place.request("org/repo:Q8_0")];
    const ended = await Promise.all(
      asked.map(({ transferId }) => followTransfer(place.registry, transferId, { hub: place.hub })),
    );
    expect(ended.map(({ state, errorMessage }) => errorMessage ?? state)).toEqual(["done", "done"]);
    const projector = (await place.registry.files.listAt([place.models(REPO, PROJECTOR)])).length;
    expect(projector).toBe(2);
    const requests = place.server.requests.filter(({ on, url }) => on === "cdn" && url.includes("mmproj"));
    expect(requests.length).toBeLessThan(3);
  });
});
