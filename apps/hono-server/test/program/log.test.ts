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
