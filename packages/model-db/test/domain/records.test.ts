import { describe, expect, test } from "vitest";

import { fromRecord } from "../../src/domain/record.ts";
import { FILTER_FIELDS, MODEL_FIELDS, toFileRecord, toRecord, type Model } from "../../src/index.ts";

const model: Model = {
  modelId: "a",
  sourceType: "local",
  authorRepo: null,
  branch: null,
  configPath: null,
  alias: null,
  aliases: ["b"],
  status: 0,
  createdAt: 1,
  updatedAt: 2,
  availability: "present",
  engine: null,
  format: null,
  architecture: null,
  quantization: null,
  parameterCount: 3,
  contextLength: 4,
  sizeBytes: 5,
  capabilities: [],
  metadata: { q4_k_m: 1, camelCase: { ctx_32k: 2 } },
  tags: ["t"],
  notes: null,
  pinned: true,
  owner: "ann",
  private: true,
  lastUsedAt: null,
  rowVersion: 6,
  rowChecksum: "c",
};

describe("a record", () => {
  test("has a field for every property of a model, and gives the model back", () => {
    const record = toRecord(model);
    expect(new Set(MODEL_FIELDS.map(({ property }) => property))).toEqual(new Set(Object.keys(model)));
    expect(fromRecord(record)).toEqual(model);
    expect(fromRecord(JSON.parse(JSON.stringify(record)) as typeof record)).toEqual(model);
  });

  test("leaves the keys of metadata alone", () => {
    expect(toRecord(model).metadata).toEqual(model.metadata);
  });

  test("names each field as its property, in snake_case", () => {
    for (const { name, property } of MODEL_FIELDS) {
      expect(name).toBe(property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
    }
  });

  test("of a file has the names of the columns", () => {
    const file = {
      path: "p",
      role: "other",
      sizeBytes: 1,
      sha256: null,
      verifiedAt: null,
      source: null,
    } as const;
    expect(Object.keys(toFileRecord(file))).toEqual([
      "path",
      "role",
      "size_bytes",
      "sha256",
      "verified_at",
      "source",
    ]);
  });

  test("lists can be filtered and sorted by every field that holds one value", () => {
    const lists = MODEL_FIELDS.filter(({ type }) => type === "list" || type === "object").map(
      ({ name }) => name,
    );
    expect(lists).toEqual(["aliases", "capabilities", "metadata", "tags"]);
    expect(FILTER_FIELDS).toHaveLength(MODEL_FIELDS.length - 1);
  });
});
