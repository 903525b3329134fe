import { expect, test } from "vitest";

import { Sandbox } from "./program.ts";

test("it serves a new registry, and SIGTERM ends it with exit code 0", async () => {
  await using sandbox = new Sandbox();
  const server = await sandbox.start();
  const answer = await fetch(`${server.url}/v1/models`);
  expect(answer.status).toBe(200);
  expect(await server.end()).toBe(0);
  expect(server.stderr).toBe("");
  expect(server.log.at(-1)).toMatchObject({ level: "info", msg: "Ended." });
});
