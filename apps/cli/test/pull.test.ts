import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { openRegistry, type Transfer } from "@cortex/model-db";
import { startTestHub, type TestHub } from "@cortex/test-hub";
import { llamaFile } from "@cortex/test-models";
import { expect, test } from "vitest";

import { finished, Sandbox, type List } from "./cortex.ts";

const FILE = { sizeBytes: 5_000_000, seed: 3 };
const REFERENCE = "org/repo:Q4_K_M";
const MODEL_ID = "org:repo:m.Q4_K_M.gguf";

/** The environment in which the hub of the tests is Hugging Face. */
function at(hub: TestHub): NodeJS.ProcessEnv {
  return { HF_ENDPOINT: hub.endpoint };
}

async function hubWithModel(): Promise<TestHub> {
  const hub = await startTestHub();
  hub.commit("org/repo", { "m.Q4_K_M.gguf": FILE, "m.Q8_0.gguf": { sizeBytes: 9_000_000, seed: 4 } });
  return hub;
}

/** Sends the weights so slowly that there is time to do something meanwhile. */
function slowDown(hub: TestHub, times: number): void {
  hub.fault({ kind: "drip", bytesPerSecond: 400_000 }, { times });
}

function placeOf(sandbox: Sandbox): string {
  return sandbox.path("models/huggingface.co/org/repo/m.Q4_K_M.gguf");
}

/** Waits until the only transfer is as wanted. */
async function until(sandbox: Sandbox, isWanted: (transfer: Transfer) => boolean): Promise<Transfer> {
  for (;;) {
    await sleep(50);
    if (!existsSync(sandbox.db)) continue;
    await using registry = await openRegistry(sandbox.db, { mode: "read" }).catch(() => undefined);
    const [transfer] = (await registry?.transfers.list())?.items ?? [];
    if (transfer !== undefined && isWanted(transfer)) return transfer;
  }
}

function isWellUnderWay({ state, doneBytes }: Transfer): boolean {
  return state === "running" && doneBytes > 200_000;
}

async function expectOneWholeModel(sandbox: Sandbox, hub: TestHub): Promise<void> {
  const { data } = await sandbox.json<List>("list");
  expect(data).toMatchObject([{ model_id: MODEL_ID, availability: "present", size_bytes: FILE.sizeBytes }]);
  const answer = await fetch(`${hub.endpoint}/org/repo/resolve/main/m.Q4_K_M.gguf`);
  const said = createHash("sha256")
    .update(Buffer.from(await answer.arrayBuffer()))
    .digest("hex");
  expect(
    createHash("sha256")
      .update(readFileSync(placeOf(sandbox)))
      .digest("hex"),
  ).toBe(said);
  await using registry = await openRegistry(sandbox.db, { mode: "read" });
  const file = { path: placeOf(sandbox), sha256: said, verifiedAt: expect.any(Number) };
  expect(await registry.files.list(MODEL_ID)).toMatchObject([file, { role: "config" }]);
}

test("a model is fetched, registered, and recognised the next time", async () => {
  using sandbox = new Sandbox();
  await using hub = await hubWithModel();
  const first = await sandbox.run(["pull", REFERENCE, "--alias", "tiny"], "", at(hub));
  expect(first).toEqual({ exitCode: 0, stdout: "", stderr: `${MODEL_ID} (tiny) is here\n` });
  await expectOneWholeModel(sandbox, hub);
  const seen = hub.requests.filter(({ on }) => on === "cdn").length;
  const again = await sandbox.run(["pull", REFERENCE, "-q"], "", at(hub));
  expect(again).toEqual({ exitCode: 0, stdout: `${MODEL_ID}\n`, stderr: "" });
  expect(hub.requests.filter(({ on }) => on === "cdn")).toHaveLength(seen);
});

test("with --json every line is one object: what was asked for, how far it is, the model", async () => {
  using sandbox = new Sandbox();
  await using hub = await hubWithModel();
  slowDown(hub, 100);
  hub.fault({ kind: "cut", atByte: 900_000 });
  const { exitCode, stdout } = await sandbox.run(["pull", REFERENCE, "--json"], "", at(hub));
  expect(exitCode).toBe(0);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, object>);
  expect(lines[0]).toMatchObject({ transfer: { reference: REFERENCE, model_id: MODEL_ID } });
  expect(lines[1]).toMatchObject({
    progress: { size_bytes: FILE.sizeBytes, done_bytes: expect.any(Number) },
  });
  expect(lines.at(-1)).toMatchObject({ model: { model_id: MODEL_ID } });
});

test("a process that is killed leaves no model, and the next one makes it whole", async () => {
  using sandbox = new Sandbox();
  await using hub = await hubWithModel();
  slowDown(hub, 1000);
  for (let round = 0; round < 3; round++) {
    const child = sandbox.start(["pull", REFERENCE], at(hub));
    await until(sandbox, isWellUnderWay);
    child.kill("SIGKILL");
    await finished(child);
    expect((await sandbox.json<List>("list")).data).toEqual([]);
    expect(existsSync(placeOf(sandbox))).toBe(false);
  }
  hub.clearFaults();
  expect(await sandbox.run(["pull", REFERENCE], "", at(hub))).toMatchObject({ exitCode: 0 });
  await expectOneWholeModel(sandbox, hub);
  expect((await sandbox.json<List>("transfer", "--state", "done")).data).toHaveLength(1);
  expect(
    readdirSync(sandbox.path("models/huggingface.co/org/repo")).filter((name) => name.includes("partial")),
  ).toEqual([]);
});

test("Ctrl-C lets it rest, says how to go on, and the same command does", async () => {
  using sandbox = new Sandbox();
  await using hub = await hubWithModel();
  slowDown(hub, 1000);
  const child = sandbox.start(["pull", REFERENCE], at(hub));
  await until(sandbox, isWellUnderWay);
  child.kill("SIGINT");
  const { exitCode, stderr } = await finished(child);
  expect(exitCode).toBe(130);
  expect(stderr).toMatch(/^Paused; .* are kept\. `cortex pull org\/repo:Q4_K_M` goes on/);
  expect((await sandbox.json<List>("transfer")).data).toMatchObject([{ state: "paused" }]);
  hub.clearFaults();
  expect(await sandbox.run(["pull", REFERENCE], "", at(hub))).toMatchObject({ exitCode: 0 });
  await expectOneWholeModel(sandbox, hub);
});

test("two that ask for the same share one job, and the second takes it up when the first dies", async () => {
  using sandbox = new Sandbox();
  await using hub = await hubWithModel();
  slowDown(hub, 1000);
  const first = sandbox.start(["pull", REFERENCE], at(hub));
  await until(sandbox, isWellUnderWay);
  const second = sandbox.start(["pull", `hf.co/${REFERENCE}`, "--json"], at(hub));
  await new Promise((told) => second.stdout.once("data", told));
  hub.clearFaults();
  first.kill("SIGKILL");
  const { exitCode, stdout } = await finished(second);
  expect(exitCode, stdout).toBe(0);
  expect(stdout).toContain(`{"model":{"model_id":"${MODEL_ID}"`);
  await expectOneWholeModel(sandbox, hub);
  expect((await sandbox.json<List>("transfer", "--state", "done")).data).toHaveLength(1);
});

test("pause and cancel reach the process that does the work within a second", async () => {
  using sandbox = new Sandbox();
  await using hub = await hubWithModel();
  slowDown(hub, 1000);
  const pulling = sandbox.start(["pull", REFERENCE], at(hub));
  const { transferId } = await until(sandbox, isWellUnderWay);
  expect(await sandbox.json("transfer", "pause", MODEL_ID)).toMatchObject({ state: "paused" });
  const pausedAt = performance.now();
  const { exitCode, stderr } = await finished(pulling);
  expect(performance.now() - pausedAt).toBeLessThan(1000);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 4,
    stderr: `cortex: Somebody has paused transfer ${transferId}. \`cortex pull ${REFERENCE}\` goes on.\n`,
  });
  expect(await sandbox.json("transfer", "resume", String(transferId))).toMatchObject({ state: "queued" });
  const again = sandbox.start(["pull", REFERENCE], at(hub));
  await until(sandbox, isWellUnderWay);
  await sandbox.output("transfer", "cancel", String(transferId));
  expect((await finished(again)).exitCode).toBe(4);
  // What it has written is gone, with its folders.
  expect(readdirSync(sandbox.path("models"))).toEqual([]);
  expect((await sandbox.json<List>("transfer")).data).toEqual([]);
});

test("a job without a process is cancelled by whoever cancels it, with what it has written", async () => {
  using sandbox = new Sandbox();
  await using hub = await hubWithModel();
  slowDown(hub, 1000);
  const pulling = sandbox.start(["pull", REFERENCE], at(hub));
  await until(sandbox, isWellUnderWay);
  pulling.kill("SIGINT");
  await finished(pulling);
  expect(readdirSync(sandbox.path("models/huggingface.co/org/repo"))).not.toEqual([]);
  await sandbox.output("transfer", "cancel", MODEL_ID);
  expect(readdirSync(sandbox.path("models"))).toEqual([]);
});

test("on a terminal it asks which of several models, and draws how far that is", async () => {
  using sandbox = new Sandbox();
  await using hub = await hubWithModel();
  slowDown(hub, 100);
  const child = sandbox.startAtTerminal(["pull", "org/repo"], at(hub));
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    if (text.includes("Which one")) child.stdin.write("2\n");
  });
  await new Promise((ended) => child.once("close", ended));
  expect(shown).toContain("1  Q4_K_M  5 MB  m.Q4_K_M.gguf");
  expect(shown).toMatch(/m\.Q8_0\.gguf +█+░+ +\d+% {2}[\d.]+ [kM]B of 9 MB {2}[\d.]+ [kM]B\/s, .* left/);
  expect((await sandbox.json<List>("list")).data).toMatchObject([{ model_id: "org:repo:m.Q8_0.gguf" }]);
});

test("--detach only asks for it", async () => {
  using sandbox = new Sandbox();
  await using hub = await hubWithModel();
  const asked = await sandbox.run(["pull", REFERENCE, "--detach", "-q"], "", at(hub));
  expect(asked).toEqual({ exitCode: 0, stdout: "1\n", stderr: "" });
  expect((await sandbox.json<List>("transfer")).data).toMatchObject([{ transfer_id: 1, state: "queued" }]);
});

test("what fails says why and what to do, and leaves nothing registered", async () => {
  using sandbox = new Sandbox();
  await using hub = await hubWithModel();
  hub.fault({ kind: "flip", atByte: 100 }, { times: 100 });
  const { exitCode, stderr } = await sandbox.run(["pull", REFERENCE], "", at(hub));
  expect(exitCode).toBe(1);
  expect(stderr).toContain("goes on where it was.");
  expect((await sandbox.json<List>("transfer")).data).toMatchObject([
    { state: "failed", error_code: "checksum_mismatch" },
  ]);
  expect((await sandbox.json<List>("list")).data).toEqual([]);
  const unknown = await sandbox.run(["pull", "org/none"], "", at(hub));
  expect(unknown.exitCode).toBe(3);
  expect(unknown.stderr).not.toContain("cortex import");
  writeFileSync(sandbox.path("a b.gguf"), "GGUF");
  const here = await sandbox.run(["pull", "./a b.gguf"], "", at(hub));
  expect(here.stderr).toContain("lies on this machine: `cortex import './a b.gguf'` registers that.");
  expect((await sandbox.run(["pull", "not a reference"], "", at(hub))).exitCode).toBe(2);
});

test.for([
  ["--connections", "0"],
  ["--connections", "33"],
  ["--limit-rate", "0"],
  ["--limit-rate", "fast"],
])("%s %s is a misuse", async ([flag, value]) => {
  using sandbox = new Sandbox();
  expect(await sandbox.run(["pull", REFERENCE, flag!, value!])).toMatchObject({ exitCode: 2 });
  expect(existsSync(sandbox.db)).toBe(false);
});

test("an address of this machine is not fetched from, and it is said how to allow it", async () => {
  await using hub = await startTestHub();
  using sandbox = new Sandbox();
  const url = hub.putFile("tiny.gguf", llamaFile());
  const refused = await sandbox.run(["pull", url]);
  expect(refused).toMatchObject({ exitCode: 5, stdout: "" });
  expect(refused.stderr).toMatch(
    /this machine or .*private network.*--private-host 127\.0\.0\.1; .*HF_ENDPOINT/,
  );
  const allowed = await sandbox.run(["pull", url, "-q"], "", { HF_ENDPOINT: new URL(url).origin });
  expect(allowed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("tiny") });
});
