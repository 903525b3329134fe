import { Ollama } from "ollama";
import OpenAI from "openai";
import { describe, expect } from "vitest";

import { checkedFetch } from "../checked-fetch.ts";
import { test } from "../harness.ts";

const PUBLIC = { modelId: "public", sourceType: "local" } as const;

describe("with a token", () => {
  test("a client of each kind sees its user's models, and no trace of others", async ({ service }) => {
    const { access, models, runs } = service.registry;
    for (const name of ["ann", "bob"]) await access.users.create({ name, grants: [{ role: "editor" }] });
    await models.create(PUBLIC);
    for (const owner of ["ann", "bob"]) {
      await models.create({ modelId: `of-${owner}`, sourceType: "local", owner, private: true });
      await runs.acquire(`of-${owner}`, { holder: "an engine" });
    }
    const { token } = await access.tokens.create("ann");
    const headers = { authorization: `Bearer ${token}` };
    const seen = ["of-ann", "public"];

    const openai = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: token, maxRetries: 0 });
    expect((await openai.models.list()).data.map(({ id }) => id).toSorted()).toEqual(seen);
    await expect(openai.models.retrieve("of-bob")).rejects.toMatchObject({ status: 404 });

    const ollama = new Ollama({ host: service.url, headers });
    expect((await ollama.list()).models.map(({ name }) => name).toSorted()).toEqual(seen);
    expect((await ollama.ps()).models.map(({ name }) => name)).toEqual(["of-ann"]);
    for (const model of ["of-bob", "of-bob:latest"]) {
      await expect(ollama.show({ model })).rejects.toMatchObject({ status_code: 404 });
      await expect(ollama.delete({ model })).rejects.toMatchObject({ status_code: 404 });
      await expect(ollama.copy({ source: model, destination: "mine" })).rejects.toMatchObject({
        status_code: 404,
      });
    }
    await ollama.copy({ source: "of-ann", destination: "copy" });
    expect(await models.get("copy")).toMatchObject({ owner: "ann", private: true });

    for (const path of ["/models", "/api/v0/models", "/api/v1/models"]) {
      const text = await (await checkedFetch(service.url + path, { headers })).text();
      expect(text, path).toContain("of-ann");
      expect(text, path).not.toContain("of-bob");
    }
    for (const path of ["/models/of-bob", "/v1/models/status/of-bob", "/api/v0/models/of-bob"]) {
      expect((await checkedFetch(service.url + path, { headers })).status, path).toBe(404);
    }
    for (const path of ["/v1/models/start", "/models/stop"]) {
      const answer = await checkedFetch(service.url + path, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify({ model: "of-bob" }),
      });
      expect(answer.status, path).toBe(404);
    }
  });

  test("what a reader may see but not do is a 403 that names the right, in each client's shape", async ({
    service,
  }) => {
    const { access, models } = service.registry;
    await access.users.create({ name: "eve", grants: [{ role: "reader" }] });
    await models.create(PUBLIC);
    const { token } = await access.tokens.create("eve");
    const ollama = new Ollama({ host: service.url, headers: { authorization: `Bearer ${token}` } });
    const refused = { status_code: 403, error: expect.stringContaining('right "change"') as unknown };
    await expect(ollama.delete({ model: "public" })).rejects.toMatchObject(refused);
    await expect(ollama.copy({ source: "public", destination: "mine" })).rejects.toMatchObject(refused);
    const started = await checkedFetch(`${service.url}/models/start`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "public" }),
    });
    expect(started.status).toBe(403);
    expect(await started.json()).toMatchObject({
      message: expect.stringContaining('right "run"') as unknown,
    });
  });

  test("without one each client learns that it needs one", async ({ service }) => {
    await service.registry.access.users.create({ name: "ann", grants: [{ role: "editor" }] });
    await expect(new Ollama({ host: service.url }).list()).rejects.toMatchObject({ status_code: 401 });
    const openai = new OpenAI({ baseURL: `${service.url}/v1`, apiKey: "sk-none", maxRetries: 0 });
    await expect(openai.models.list()).rejects.toMatchObject({ status: 401, type: "authentication_error" });
  });
});
