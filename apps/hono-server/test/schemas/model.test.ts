import type { Model } from "@cortex/model-db";
import fc from "fast-check";
import { expect } from "vitest";

import { toWireModel, wireModelText } from "../../src/schemas/model.ts";
import { test } from "../harness.ts";
import { createModelsOfEveryKind } from "../models-of-every-kind.ts";

test("a model's text is the JSON of what it is on the wire", async ({ service: { registry } }) => {
  await createModelsOfEveryKind(registry);
  const { items } = await registry.models.list();
  const text = fc.string({ unit: "binary" });
  const fields: fc.Arbitrary<Partial<Model>> = fc.record(
    {
      modelId: text,
      authorRepo: fc.option(text),
      notes: fc.option(text),
      aliases: fc.array(text),
      metadata: fc.dictionary(text, fc.jsonValue()) as fc.Arbitrary<Model["metadata"]>,
      sizeBytes: fc.option(fc.maxSafeNat()),
      createdAt: fc.maxSafeNat(),
      pinned: fc.boolean(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.constantFrom(...items), fields, (item, changed) => {
      const model = { ...item, ...changed };
      expect(wireModelText(model)).toBe(JSON.stringify(toWireModel(model)));
    }),
  );
});
