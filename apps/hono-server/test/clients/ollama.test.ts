import { Ollama } from "ollama";
import { describe, expect } from "vitest";

import { checkedFetch } from "../checked-fetch.ts";
import { test } from "../harness.ts";
import { createModelsOfEveryKind, KNOWN_SHA256 } from "../models-of-every-kind.ts";

describe("the npm client ollama", () => {
  test("lists, shows, copies and deletes", async ({ service }) => {
    await createModelsOfEveryKind(service.registry);
    const ollama = new Ollama({ host: service.url, fetch: checkedFetch });
    const { models } = await ollama.list();
    expect(models.find(({ name }) => name === "known")).toMatchObject({
      digest: KNOWN_SHA256,
      details: { parameter_size: "7.2B" },
    });
    // Whatever it is told can be asked for again.
    for (const { model } of models) expect((await ollama.show({ model })).model_info).not.toBeNull();
    expect((await ollama.ps()).models.map(({ name }) => name)).toEqual(["fast"]);
    expect(await ollama.copy({ source: "known", destination: "copy" })).toEqual({ status: "success" });
    expect(await ollama.delete({ model: "known" })).toEqual({ status: "success" });
    expect((await ollama.list()).models.map(({ name }) => name)).toContain("copy");
    expect((await ollama.version()).version).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("reads why something failed", async ({ service }) => {
    const ollama = new Ollama({ host: service.url, fetch: checkedFetch });
    await expect(ollama.show({ model: "none" })).rejects.toMatchObject({
      status_code: 404,
      error: "model 'none' not found",
    });
    await expect(ollama.pull({ model: "x" })).rejects.toMatchObject({
      status_code: 400,
      error: expect.stringContaining("Ollama's own library"),
    });
  });

  test("is told that this service runs no model", async ({ service }) => {
    const ollama = new Ollama({ host: service.url, fetch: checkedFetch });
    const asked = ollama.chat({ model: "known", messages: [{ role: "user", content: "Hello" }] });
    await expect(asked).rejects.toMatchObject({
      status_code: 404,
      error: expect.stringContaining("runs none"),
    });
  });
});
