import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import type { Transfer } from "@cortex/model-db";
import { startTestHub, type TestHub } from "@cortex/test-hub";
import { expect, test, vi } from "vitest";

import { Sandbox, type Server } from "./program.ts";

vi.setConfig({ testTimeout: 120_000 });

const SIZE = 6_000_000;
const ARGS = ["--private-host", "127.0.0.1"];
const FILE = "home/models/huggingface.co/org/repo/m.gguf";

async function hubWithModel(): Promise<TestHub> {
  const hub = await startTestHub();
  hub.commit("org/repo", { "m.gguf": { sizeBytes: SIZE, seed: 6 } });
  return hub;
}

async function ask(server: Server): Promise<Response> {
  return fetch(`${server.url}/v1/transfers`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ reference: "org/repo" }),
  });
}

type Wire = { state: Transfer["state"]; done_bytes: number };

/** Waits until the first transfer is as wanted. */
async function until(server: Server, isWanted: (transfer: Wire) => boolean): Promise<Wire> {
  for (;;) {
    const answer = await fetch(`${server.url}/v1/transfers/1`);
    const transfer = (await answer.json()) as Wire;
    if (isWanted(transfer)) return transfer;
    await sleep(50);
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

test.for([
  ["SIGTERM", 0],
  ["SIGKILL", null],
] as const)(
  "a transfer that %s interrupts goes on after a restart, where it was, and is one model",
  async ([signal, exitCode]) => {
    await using sandbox = new Sandbox();
    await using hub = await hubWithModel();
    hub.fault({ kind: "drip", bytesPerSecond: 300_000 }, { times: 1000 });
    const env = { HF_ENDPOINT: hub.endpoint, CORTEX_MODELS: sandbox.path("home/models") };
    const first = await sandbox.start(ARGS, env);
    expect((await ask(first)).status).toBe(201);
    const before = await until(first, ({ state, done_bytes }) => state === "running" && done_bytes > 900_000);
    first.process.kill(signal);
    expect(await first.ended()).toBe(exitCode);
    expect(existsSync(sandbox.path(FILE))).toBe(false);
    hub.clearFaults();
    const asked = hub.requests.length;
    const second = await sandbox.start(ARGS, env);
    await until(second, ({ state }) => state === "done");
    const { data } = (await (await fetch(`${second.url}/v1/models`)).json()) as { data: object[] };
    expect(data).toMatchObject([{ model_id: "org:repo:m.gguf", availability: "present", size_bytes: SIZE }]);
    const whole = await fetch(`${hub.endpoint}/org/repo/resolve/main/m.gguf`);
    expect(sha256(readFileSync(sandbox.path(FILE)))).toBe(sha256(new Uint8Array(await whole.arrayBuffer())));
    expect(readdirSync(sandbox.path("home/models/huggingface.co/org/repo"))).toEqual(["m.gguf", "m.yml"]);
    // What was here is not fetched again.
    const ranges = hub.requests
      .slice(asked)
      .filter(({ on }) => on === "cdn")
      .map(({ headers }) => headers.range);
    expect(before.done_bytes).toBeGreaterThan(0);
    expect(ranges).not.toContain("bytes=0-");
    expect(await second.end()).toBe(0);
  },
);

test("with --max-pulls 0 nothing is fetched", async () => {
  await using sandbox = new Sandbox();
  await using hub = await hubWithModel();
  const server = await sandbox.start([...ARGS, "--max-pulls", "0"], { HF_ENDPOINT: hub.endpoint });
  expect((await ask(server)).status).toBe(403);
  expect(hub.requests).toEqual([]);
});

test("an endpoint of a private network is not asked for others, unless that is allowed", async () => {
  await using sandbox = new Sandbox();
  await using hub = await hubWithModel();
  const server = await sandbox.start([], { HF_ENDPOINT: hub.endpoint });
  const answer = await ask(server);
  expect([answer.status, await answer.json()]).toMatchObject([403, { error: { code: "permission_denied" } }]);
  expect(hub.requests).toEqual([]);
});
