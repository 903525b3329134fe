import { describe, expect } from "vitest";

import { modelSchema } from "../../src/schemas/model.ts";
import { test } from "../harness.ts";

describe("one model", () => {
  test.for(["hf.co/TheBloke/Tiny-GGUF:q4", "hf.co%2FTheBloke%2FTiny-GGUF%3Aq4", "tiny"])(
    "is found as %s",
    async (name, { service, expect: check }) => {
      await service.registry.models.create({
        modelId: "hf.co/TheBloke/Tiny-GGUF:q4",
        sourceType: "huggingface",
        alias: "tiny",
      });
      const answer = await fetch(`${service.url}/v1/models/${name}`);
      check(answer.status).toBe(200);
      check(modelSchema.parse(await answer.json()).id).toBe("hf.co/TheBloke/Tiny-GGUF:q4");
    },
  );

  test("is not sent again to who knows it", async ({ service }) => {
    await service.registry.models.create({ modelId: "a", sourceType: "local" });
    const first = await fetch(`${service.url}/v1/models/a`);
    const etag = first.headers.get("etag")!;
    const again = await fetch(`${service.url}/v1/models/a`, { headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
    await service.registry.models.update("a", { notes: "changed" });
    expect((await fetch(`${service.url}/v1/models/a`, { headers: { "if-none-match": etag } })).status).toBe(
      200,
    );
  });

  test("that there is not is a 404 with a code", async ({ service }) => {
    const answer = await fetch(`${service.url}/v1/models/none`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { code: "model_not_found" } });
  });
});
