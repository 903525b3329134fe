import { spawnSync } from "node:child_process";

import { openRegistry } from "@cortex/model-db";
import { expect, test, vi } from "vitest";

import { Sandbox } from "./program.ts";

// Each is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

test("each request is one line that says which route answered what, whom, and how fast", async () => {
  await using sandbox = new Sandbox();
  const server = await sandbox.start();
  const answer = await fetch(`${server.url}/v1/models/no-such-model`, {
    headers: { "x-request-id": "mine-1" },
  });
  expect(answer.status).toBe(404);
  const line = await server.line(({ request_id }) => request_id === "mine-1");
  expect(line).toEqual({
    level: "info",
    time: expect.any(String) as string,
    request_id: "mine-1",
    method: "GET",
    route: "/v1/models/{model_id}",
    status: 404,
    duration_ms: expect.any(Number) as number,
    address: "127.0.0.1",
    msg: "Answered",
  });
});

test("nothing that may be secret gets into the log, and nothing that would break its lines", async () => {
  await using sandbox = new Sandbox();
  const server = await sandbox.start(["--log-level", "debug"]);
  const headers = { authorization: "Bearer ctx_s3cret", cookie: "s3cret", "user-agent": "s3cret" };
  await fetch(`${server.url}/v1/models?cursor=s3cret`, { headers });
  await fetch(`${server.url}/v1/models/s3cret`, { headers });
  const odd = await fetch(`${server.url}/nowhere%0d%0a{"level":"error"}?token=s3cret`, { headers });
  expect(odd.status).toBe(404);
  expect(await server.end()).toBe(0);
  expect(JSON.stringify(server.log)).not.toContain("s3cret");
  expect(server.log.filter(({ level }) => level === "error")).toEqual([]);
  expect(server.log.filter(({ msg }) => msg === "Answered")).toHaveLength(3);
});

test("who is refused is logged by the route they wanted, and not by the path they sent", async () => {
  await using sandbox = new Sandbox();
  await using registry = await openRegistry(sandbox.db);
  await registry.access.users.create({ name: "ann", grants: [{ role: "admin" }] });
  const server = await sandbox.start();
  for (const [method, path] of [
    ["GET", "/v1/models/a/s3cret"],
    ["HEAD", "/v1/models/a/s3cret"],
    ["PUT", "/v1/models/a%2Fs3cret"],
    ["GET", "/v1/models/status/s3cret"],
    ["GET", "/nowhere"],
  ] as const) {
    expect((await fetch(`${server.url}${path}`, { method })).status).toBe(401);
  }
  expect(await server.end()).toBe(0);
  expect(JSON.stringify(server.log)).not.toContain("s3cret");
  const answered = server.log.filter(({ msg }) => msg === "Answered");
  expect(answered.map(({ route, path }) => route ?? path)).toEqual([
    "/v1/models/{model_id}",
    "/v1/models/{model_id}",
    "/v1/models/{model_id}",
    "/v1/models/status/{model_id}",
    "/nowhere",
  ]);
});

test("a client that leaves before it has its answer is told apart", async () => {
  await using sandbox = new Sandbox();
  const server = await sandbox.start();
  const leaving = new AbortController();
  await fetch(`${server.url}/v1/events`, { signal: leaving.signal });
  leaving.abort();
  const line = await server.line(({ route }) => route === "/v1/events");
  expect(line).toMatchObject({ status: 200, is_cut: true });
});

test("it goes on when whoever read the log has left, and ends all the same", async () => {
  await using sandbox = new Sandbox();
  const server = await sandbox.start();
  server.process.stdout.destroy();
  for (let index = 0; index < 3; index += 1) {
    expect((await fetch(`${server.url}/v1/models`)).status).toBe(200);
  }
  expect(await server.end()).toBe(0);
});

const hasTerminals = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux");

test.skipIf(!hasTerminals)("at a terminal the log is text, and closing the terminal ends it", async () => {
  await using sandbox = new Sandbox();
  const terminal = sandbox.startAtTerminal();
  let text = "";
  terminal.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await vi.waitFor(() => expect(text).toContain("Listening"), 20_000);
  expect(text).toMatch(
    /^\d\d:\d\d:\d\d info {2}Listening on http:\S+ address=http:\S+ registry=\S+ pid=\d+\r\n/,
  );
  const pid = Number(/pid=(\d+)/.exec(text)![1]);
  terminal.kill("SIGKILL");
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(/ESRCH/), 20_000);
});
