import { describe, expect } from "vitest";

import { ROLES, type NewTransfer, type Registry, type Role, type Transfer } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

const SHA256 = "a".repeat(64);

function wanted(more: Partial<NewTransfer> = {}): NewTransfer {
  return {
    reference: "org/repo:Q4_K_M",
    modelId: "org:repo:m.gguf",
    sourceType: "huggingface",
    repository: "org/repo",
    branch: "main",
    commitId: "c1",
    folder: "/models",
    files: [
      {
        path: "huggingface.co/org/repo/m.gguf",
        role: "weights",
        url: "http://h/m",
        sizeBytes: 10,
        sha256: SHA256,
      },
    ],
    ...more,
  };
}

const FETCHED = {
  authorRepo: "org/repo",
  branch: "main",
  sizeBytes: 10,
  files: [{ path: "/models/huggingface.co/org/repo/m.gguf", role: "weights", sha256: SHA256 }],
} as const;

async function requested(registry: Registry, more: Partial<NewTransfer> = {}): Promise<Transfer> {
  return (await registry.transfers.request(wanted(more))).transfer;
}

describe.each(ENGINES)("transfers ($name)", ({ test }) => {
  test("a model has one job, however many ask", async ({ registry }) => {
    const first = await registry.transfers.request(wanted());
    expect(first.isNew).toBe(true);
    expect(first.transfer).toMatchObject({ state: "queued", sizeBytes: 10, doneBytes: 0, actor: "tester" });
    const again = await registry.transfers.request(wanted({ reference: "hf.co/org/repo" }));
    expect(again).toEqual({ transfer: first.transfer, isNew: false });
    const asked = await Promise.all(
      [1, 2, 3].map(() => registry.transfers.request(wanted({ modelId: "b" }))),
    );
    expect(new Set(asked.map(({ transfer }) => transfer.transferId)).size).toBe(1);
    expect(asked.filter(({ isNew }) => isNew)).toHaveLength(1);
  });

  test("is registered in the step in which it is done, for whoever asked", async ({ registry }) => {
    const { transferId } = await requested(registry, { alias: "tiny" });
    const claim = (await registry.transferWork.claim())!;
    expect(await registry.models.find("org:repo:m.gguf")).toBeUndefined();
    const done = await registry.as({ identity: null, actor: "worker" }).transfers.get(transferId);
    expect(done.state).toBe("running");
    const whole = [{ path: "huggingface.co/org/repo/m.gguf", doneBytes: 10, isOurs: true }];
    const finished = await registry.transferWork.finish(claim, FETCHED, whole);
    expect(finished).toMatchObject({
      state: "done",
      doneBytes: 10,
      finishedAt: expect.any(Number),
      pid: null,
    });
    expect(await registry.models.resolve("tiny")).toMatchObject({
      modelId: "org:repo:m.gguf",
      availability: "present",
    });
    const [event] = (await registry.history.list()).items;
    expect(event).toMatchObject({ kind: "created", actor: "tester" });
    expect((await registry.models.list({ search: "repo" })).items).toHaveLength(1);
    await expectRefusal("lease_lost", registry.transferWork.finish(claim, FETCHED));
    // The next one is another job.
    expect((await registry.transfers.request(wanted())).transfer.transferId).toBe(transferId + 1);
  });

  test("what is registered already becomes what was fetched, under the names it has", async ({
    registry,
  }) => {
    const modelId = "org:repo:m.gguf";
    await registry.models.create(
      localModel(modelId, { alias: "mine", tags: ["t"], files: [{ path: "old", role: "weights" }] }),
    );
    await requested(registry);
    await registry.transferWork.finish((await registry.transferWork.claim())!, FETCHED);
    expect(await registry.models.get(modelId)).toMatchObject({
      alias: "mine",
      tags: ["t"],
      sourceType: "huggingface",
      authorRepo: "org/repo",
    });
    expect((await registry.files.list(modelId)).map(({ path }) => path)).toEqual([FETCHED.files[0].path]);
  });

  test("an alias that another model has got meanwhile is not insisted on", async ({ registry }) => {
    await requested(registry, { alias: "tiny" });
    const claim = (await registry.transferWork.claim())!;
    await registry.models.create(localModel("b", { alias: "tiny" }));
    await registry.transferWork.finish(claim, FETCHED);
    expect((await registry.models.resolve("tiny")).modelId).toBe("b");
    expect((await registry.models.get("org:repo:m.gguf")).alias).not.toBe("tiny");
  });

  test("a name that means another model is refused before anything is fetched", async ({ registry }) => {
    await registry.models.create(localModel("b", { alias: "org:repo:m.gguf" }));
    await expectRefusal("name_taken", requested(registry));
    await expectRefusal("name_taken", requested(registry, { modelId: "x", alias: "b" }));
  });

  test("the claim of a process keeps others out as long as it is renewed", async ({ registry }) => {
    const { transferId } = await requested(registry);
    const first = (await registry.transferWork.claim({ ttlMs: 1000 }))!;
    expect(await registry.transferWork.claim()).toBeUndefined();
    expect(await registry.transferWork.claim({ transferId })).toBeUndefined();
    const files = [{ path: "huggingface.co/org/repo/m.gguf", doneBytes: 4, isOurs: true }];
    const told = await registry.transferWork.report(first, files, { ttlMs: 1000 });
    expect(told).toMatchObject({ state: "running", doneBytes: 4, pid: process.pid });
    await new Promise((later) => setTimeout(later, 1100));
    // Nobody has to say that it has ended.
    expect(await registry.transfers.get(transferId)).toMatchObject({
      state: "queued",
      pid: null,
      doneBytes: 4,
    });
    expect((await registry.transfers.list({ state: "queued" })).items).toHaveLength(1);
    expect((await registry.transfers.list({ state: "running" })).items).toEqual([]);
    const second = (await registry.transferWork.claim())!;
    expect(second.transfer.files[0]).toMatchObject({ doneBytes: 4, isOurs: true });
    for (const late of [
      registry.transferWork.report(first, files),
      registry.transferWork.release(first),
      registry.transferWork.fail(first, { code: "io_error", message: "late" }),
      registry.transferWork.finish(first, FETCHED),
    ]) {
      await expectRefusal("lease_lost", late);
    }
    await registry.transferWork.finish(second, FETCHED);
  });

  test("pause, resume and cancel are seen by the worker, which alone gives its claim back", async ({
    registry,
  }) => {
    const { transferId } = await requested(registry);
    const claim = (await registry.transferWork.claim())!;
    await registry.transfers.pause(transferId);
    expect((await registry.transferWork.report(claim, [])).state).toBe("paused");
    await expectRefusal("lease_lost", registry.transferWork.finish(claim, FETCHED));
    await registry.transfers.resume(transferId);
    expect(await registry.transferWork.claim()).toBeUndefined();
    expect((await registry.transferWork.release(claim)).state).toBe("queued");
    const next = (await registry.transferWork.claim())!;
    await registry.transfers.cancel(transferId);
    expect(await registry.transferWork.claimCancelled(transferId)).toBeUndefined();
    expect((await registry.transferWork.fail(next, { code: "io_error", message: "m" })).state).toBe(
      "cancelled",
    );
    expect(await registry.transferWork.claimCancelled(transferId)).toBeDefined();
    expect(await registry.transferWork.claim({ transferId })).toBeUndefined();
    await expectInvalid("transfer_id", registry.transfers.resume(transferId));
    expect((await registry.transfers.cancel(transferId)).state).toBe("cancelled");
  });

  test("one that failed says why, and goes on when it is asked for again", async ({ registry }) => {
    const { transferId } = await requested(registry);
    const claim = (await registry.transferWork.claim())!;
    const progress = [{ path: "huggingface.co/org/repo/m.gguf", doneBytes: 4, isOurs: true }];
    await registry.transferWork.fail(claim, { code: "disk_full", message: "no room" }, progress);
    expect(await registry.transfers.get(transferId)).toMatchObject({
      state: "failed",
      errorCode: "disk_full",
      errorMessage: "no room",
    });
    expect(await registry.transferWork.claim()).toBeUndefined();
    const again = await registry.transfers.request(wanted({ commitId: "c2" }));
    expect(again).toMatchObject({
      isNew: false,
      transfer: { transferId, state: "queued", errorCode: null, commitId: "c2" },
    });
    expect(again.transfer.files[0]).toMatchObject({ doneBytes: 4, isOurs: true });
  });

  test("are listed by state and model, the newest first, in pages", async ({ registry }) => {
    for (const modelId of ["a", "b", "c"]) await requested(registry, { modelId });
    await registry.transfers.pause(2);
    const ids = async (options: Parameters<Registry["transfers"]["list"]>[0]): Promise<string[]> =>
      (await registry.transfers.list(options)).items.map(({ modelId }) => modelId);
    expect(await ids({})).toEqual(["c", "b", "a"]);
    expect(await ids({ state: "paused" })).toEqual(["b"]);
    expect(await ids({ state: ["paused", "queued"], modelId: "a" })).toEqual(["a"]);
    const page = await registry.transfers.list({ limit: 2 });
    expect(page.nextCursor).not.toBeNull();
    expect(await ids({ cursor: page.nextCursor })).toEqual(["a"]);
  });

  test.for([
    ["files", { files: [] }],
    ["model_id", { modelId: "" }],
    ["folder", { folder: "" }],
    ["reference", { reference: "" }],
    ["source_type", { sourceType: "x" as never }],
    ["sha256", { files: [{ path: "p", role: "weights", url: "u", sha256: "A".repeat(64) }] }],
    ["git_sha1", { files: [{ path: "p", role: "weights", url: "u", gitSha1: "1" }] }],
    ["private", { private: true }],
  ] as const)("%s is checked", async ([field, wrong], { registry }) => {
    await expectInvalid(field, requested(registry, wrong));
  });

  test("whoever may run the model may fetch it, and it is theirs", async ({ registry }) => {
    for (const role of ROLES) {
      await registry.access.users.create({ name: role, grants: [{ role }] });
      const { token } = await registry.access.tokens.create(role);
      const mine = registry.as({ identity: await registry.access.authenticate(token) });
      const asked = mine.transfers.request(wanted({ modelId: role, private: true }));
      if (role === "reader") {
        await expectRefusal("permission_denied", asked);
        continue;
      }
      const { transferId } = (await asked).transfer;
      await registry.transferWork.finish((await registry.transferWork.claim({ transferId }))!, FETCHED);
      expect(await registry.models.get(role)).toMatchObject({ owner: role, private: true });
      const [event] = (await registry.history.list({ modelId: role })).items;
      expect(event!.actor).toBe(role);
    }
  });

  test("nobody gets at a private one by registering a model of its name", async ({ registry }) => {
    const as = async (name: string) => {
      await registry.access.users.create({ name, grants: [{ role: "editor" }] });
      const { token } = await registry.access.tokens.create(name);
      return registry.as({ identity: await registry.access.authenticate(token) });
    };
    const [ann, eve] = [await as("ann"), await as("eve")];
    const { transferId } = (await ann.transfers.request(wanted({ private: true }))).transfer;
    const own = localModel("org:repo:m.gguf");
    await expectRefusal("name_taken", eve.models.create(own));
    await expectRefusal("name_taken", eve.models.createMany([own], { onExisting: "skip" }));
    await expectRefusal("not_found", eve.transfers.cancel(transferId));
    await registry.transferWork.finish((await registry.transferWork.claim())!, FETCHED);
    expect(await registry.models.get("org:repo:m.gguf")).toMatchObject({ owner: "ann", private: true });
  });

  test("what a caller may not see of the models is absent here too", async ({ registry }) => {
    const as = async (name: string, role: Role) => {
      await registry.access.users.create({ name, grants: [{ role }] });
      const { token } = await registry.access.tokens.create(name);
      return registry.as({ identity: await registry.access.authenticate(token) });
    };
    const [ann, bob, root] = [
      await as("ann", "operator"),
      await as("bob", "operator"),
      await as("root", "admin"),
    ];
    const { transferId } = (await ann.transfers.request(wanted({ private: true }))).transfer;
    const seenBy = async (): Promise<number[]> =>
      Promise.all([ann, bob, root].map(async ({ transfers }) => (await transfers.list()).items.length));
    const expectUnseen = async (): Promise<void> => {
      expect(await seenBy()).toEqual([1, 0, 1]);
      for (const work of [
        bob.transfers.get(transferId),
        bob.transfers.pause(transferId),
        bob.transfers.resume(transferId),
        bob.transfers.cancel(transferId),
      ]) {
        await expectRefusal("not_found", work);
      }
    };
    await expectUnseen();
    const refusal = await expectRefusal("name_taken", bob.transfers.request(wanted()));
    expect(refusal.message).not.toContain("ann");
    await registry.transferWork.finish((await registry.transferWork.claim())!, FETCHED);
    await expectUnseen();
    await registry.models.update("org:repo:m.gguf", { private: false });
    expect(await seenBy()).toEqual([1, 1, 1]);
    await registry.models.update("org:repo:m.gguf", { private: true });
    await expectUnseen();
    await registry.models.delete("org:repo:m.gguf");
    await expectUnseen();
  });

  test("of a model that is gone again only its owner and who sees everything know", async ({ registry }) => {
    await registry.access.users.create({ name: "ann", grants: [{ role: "operator" }] });
    const as = async (name: string) => {
      const { token } = await registry.access.tokens.create(name);
      return registry.as({ identity: await registry.access.authenticate(token) });
    };
    await registry.access.users.create({ name: "eve", grants: [{ role: "editor" }] });
    const [ann, eve] = [await as("ann"), await as("eve")];
    const { transferId } = (await ann.transfers.request(wanted())).transfer;
    await registry.transferWork.finish((await registry.transferWork.claim())!, FETCHED);
    expect((await eve.transfers.list()).items).toHaveLength(1);
    // What it was at its end may have been somebody's alone.
    await registry.models.update("org:repo:m.gguf", { private: true });
    await registry.models.delete("org:repo:m.gguf");
    expect((await eve.transfers.list()).items).toEqual([]);
    await expectRefusal("not_found", eve.transfers.get(transferId));
    expect((await ann.transfers.list()).items).toHaveLength(1);
  });

  test("are forgotten 30 days after their end", async ({ registry, store }) => {
    await requested(registry, { modelId: "a" });
    await registry.transfers.cancel(1);
    await requested(registry, { modelId: "b" });
    await store.query("UPDATE transfer SET finished_at = finished_at - 2592000000 - 1000");
    await requested(registry, { modelId: "c" });
    expect((await registry.transfers.list()).items.map(({ modelId }) => modelId)).toEqual(["c", "b"]);
  });
});
