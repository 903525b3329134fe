import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { llamaFile } from "@cortex/test-models";
import { describe, expect } from "vitest";

import { checkedFetch } from "../../checked-fetch.ts";
import { startFetchingService, test } from "../../fetching-service.ts";

async function send(method: string, url: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const answer = await checkedFetch(url, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  return { status: answer.status, body: await answer.json() };
}

describe.for(["", "/v1"])("under %s/models", (prefix) => {
  test("a pull is a task by the model's id, which can be stopped", async ({ service }) => {
    const url = `${service.url}${prefix}/models/pull`;
    const { status, body } = await send("POST", url, { model: "org/repo" });
    expect(status).toBe(200);
    expect(body).toEqual({
      message: "Model start downloading!",
      task: {
        id: "org:repo:m.gguf",
        type: "Model",
        items: [
          {
            id: "m.gguf",
            downloadUrl: expect.stringContaining("/org/repo/resolve/"),
            localPath: "huggingface.co/org/repo/m.gguf",
            checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
            bytes: llamaFile().length,
            downloadedBytes: 0,
          },
        ],
      },
    });
    const stop = { taskId: "org:repo:m.gguf" };
    expect(await send("DELETE", url, stop)).toEqual({
      status: 200,
      body: { message: "Download stopped successfully", ...stop },
    });
    expect((await send("DELETE", url, stop)).status).toBe(404);
    expect(await send("POST", url, {})).toMatchObject({
      status: 409,
      body: { message: "No model field in request body" },
    });
    expect((await send("DELETE", url, {})).status).toBe(409);
  });

  test("a file is imported from an allowed folder, and from no other", async ({ service }) => {
    const url = `${service.url}${prefix}/models/import`;
    const { imports } = service;
    mkdirSync(imports, { recursive: true });
    const outside = join(imports, "../outside.gguf");
    writeFileSync(outside, llamaFile());
    writeFileSync(join(imports, "a.gguf"), llamaFile());
    symlinkSync(outside, join(imports, "link.gguf"));
    const body = { model: "mine", modelPath: join(imports, "a.gguf") };
    expect(await send("POST", url, body)).toEqual({
      status: 200,
      body: { result: "OK", modelHandle: "mine", message: "Model is imported successfully!" },
    });
    expect(await service.registry.models.get("mine")).toMatchObject({ architecture: "llama" });
    for (const modelPath of [
      outside,
      `${imports}/../outside.gguf`,
      join(imports, "link.gguf"),
      "/etc/passwd",
      "/proc/self/environ",
      "relative.gguf",
    ]) {
      const refused = await send("POST", url, { model: "other", modelPath });
      expect([403, 404], modelPath).toContain(refused.status);
    }
    expect((await send("POST", url, { ...body, option: "copy" })).status).toBe(400);
    expect((await send("POST", url, { model: "x" })).status).toBe(409);
    expect(await service.registry.models.count()).toBe(1);
  });
});

test("addresses of this machine and of private networks are not fetched from, however they are written", async () => {
  await using service = await startFetchingService({ privateHosts: [] });
  const port = new URL(service.remote.cdn).port;
  service.remote.putFile("x.gguf", "x");
  for (const host of [
    "127.0.0.1",
    "localhost",
    "localhost.",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0.0.0.0",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "169.254.169.254",
    "10.0.0.1",
    "192.168.0.1",
    "100.64.0.1",
  ]) {
    const body = { model: `http://${host}:${port}/x.gguf` };
    expect(await send("POST", `${service.url}/v1/models/pull`, body), host).toMatchObject({
      status: 403,
      body: { error: { code: "permission_denied" } },
    });
  }
  expect(service.remote.requests).toEqual([]);
});
