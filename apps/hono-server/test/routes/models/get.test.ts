import { describe, expect } from "vitest";

import { modelSchema } from "../../../src/schemas/model.ts";
import { checkedFetch } from "../../checked-fetch.ts";
import { test } from "../../harness.ts";

describe("GET /v1/models/{model_id}", () => {
  test.for(["hf.co/TheBloke/Tiny-GGUF:q4", "hf.co%2FTheBloke%2FTiny-GGUF%3Aq4", "tiny"])(
    "200: it is found as %s",
    async (name, { service, expect: check }) => {
      await service.registry.models.create({
        modelId: "hf.co/TheBloke/Tiny-GGUF:q4",
        sourceType: "huggingface",
        alias: "tiny",
      });
      const answer = await checkedFetch(`${service.url}/v1/models/${name}`);
      check(answer.status).toBe(200);
      check(modelSchema.parse(await answer.json()).id).toBe("hf.co/TheBloke/Tiny-GGUF:q4");
    },
  );

  test.for(["a/b:c", "a%2Fb", "ü b?x#y", "a//b"])("200: the client asks for %s", async (id, { service }) => {
    await service.registry.models.create({ modelId: id, sourceType: "local" });
    const { data } = await service.client.GET("/v1/models/{model_id}", {
      params: { path: { model_id: id } },
    });
    expect(data?.id).toBe(id);
  });

  test("200: HEAD has the headers and no body", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    const whole = await fetch(`${service.url}/v1/models/a`);
    const head = await fetch(`${service.url}/v1/models/a`, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(head.headers.get("etag")).toBe(whole.headers.get("etag"));
    expect(await head.text()).toBe("");
  });

  test("304: it is not sent again to who knows it", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    const etag = (await fetch(`${service.url}/v1/models/a`)).headers.get("etag")!;
    const ask = async (known: string): Promise<number> =>
      (await checkedFetch(`${service.url}/v1/models/a`, { headers: { "if-none-match": known } })).status;
    expect(await Promise.all([etag, `W/${etag}`, `"x", ${etag}`, "*"].map(ask))).toEqual([
      304, 304, 304, 304,
    ]);
    expect(await Promise.all(['"x"', `"x,${etag.slice(1)}`, etag.slice(1, -1)].map(ask))).toEqual([
      200, 200, 200,
    ]);
    await service.registry.models.update("a", { notes: "changed" });
    expect(await ask(etag)).toBe(200);
  });

  test("400: a parameter that it does not know is refused, as the list refuses it", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    for (const time of ["first", "again", "once more"]) {
      const answer = await checkedFetch(`${service.url}/v1/models/a?fields=alias`);
      expect(answer.status, time).toBe(400);
      expect(await answer.json()).toMatchObject({
        error: { code: "invalid_input", param: "fields", message: "fields is not known here." },
      });
    }
    expect((await checkedFetch(`${service.url}/v1/models/a?`)).status).toBe(200);
  });

  test("404: the nearest name is named", async ({ service }) => {
    await service.registry.models.create({ modelId: "tinyllama", sourceType: "local" });
    const { error, response } = await service.client.GET("/v1/models/{model_id}", {
      params: { path: { model_id: "tinylama" } },
    });
    expect(response.status).toBe(404);
    expect(error?.error).toMatchObject({
      code: "model_not_found",
      message: expect.stringContaining("tinyllama") as string,
    });
  });
});
