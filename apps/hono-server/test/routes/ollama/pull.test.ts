import { describe, expect } from "vitest";

import { test, type FetchingService } from "../../fetching-service.ts";

async function pull(service: FetchingService, body: object): Promise<{ status: number; lines: object[] }> {
  const answer = await fetch(`${service.url}/api/pull`, { method: "POST", body: JSON.stringify(body) });
  const text = await answer.text();
  const lines = text.trim().split("\n");
  return { status: answer.status, lines: lines.map((line) => JSON.parse(line) as object) };
}

describe("POST /api/pull", () => {
  test("200: a line for each step, to success", async ({ service }) => {
    service.work();
    const { status, lines } = await pull(service, { model: "hf.co/org/repo" });
    expect(status).toBe(200);
    expect(lines[0]).toEqual({ status: "pulling manifest" });
    const digest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);
    expect(lines[1]).toMatchObject({ digest, total: expect.any(Number), completed: expect.any(Number) });
    expect(lines.slice(-3)).toEqual([
      { status: "verifying sha256 digest" },
      { status: "writing manifest" },
      { status: "success" },
    ]);
    expect(await service.registry.models.count()).toBe(1);
    expect((await pull(service, { name: "hf.co/org/repo" })).lines.at(-1)).toEqual({ status: "success" });
  });

  test("200: one answer at the end without stream", async ({ service }) => {
    service.work();
    const { lines } = await pull(service, { model: "hf.co/org/repo", stream: false });
    expect(lines).toEqual([{ status: "success" }]);
  });

  test("400: a name of Ollama's own library says what can be fetched instead", async ({ service }) => {
    for (const model of ["llama3", "llama3:8b", ""]) {
      const { status, lines } = await pull(service, { model });
      expect(status, model).toBe(400);
      expect(lines).toMatchObject([{ error: expect.stringContaining("hf.co/org/repo") }]);
    }
  });

  test("422, and a last line: it arrives wrong", async ({ service }) => {
    service.work();
    service.remote.fault({ kind: "flip", atByte: 100 }, { times: 100 });
    const { lines } = await pull(service, { model: "hf.co/org/repo" });
    expect(lines.at(-1)).toEqual({ error: expect.any(String) });
    expect((await pull(service, { model: "hf.co/org/repo", stream: false })).status).toBe(422);
  });

  test("404: the hub has no such repository", async ({ service }) => {
    expect((await pull(service, { model: "hf.co/org/none" })).status).toBe(404);
  });
});
