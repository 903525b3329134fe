import { MODEL_FIELDS } from "@cortex/model-db";

import type { Row } from "../../contenders/row.ts";

/** A stored model as the service shows it: what its peers make of a row, too. */
export function toWire(row: Row): object {
  return {
    id: row["model_id"],
    object: "model",
    created: Math.floor((row["created_at"] as number) / 1000),
    owned_by: row["author_repo"] ?? row["source_type"],
    model: row["model_id"],
    ...row,
    aliases: JSON.parse(row["aliases"] as string) as unknown,
    capabilities: JSON.parse(row["capabilities"] as string) as unknown,
    metadata: JSON.parse(row["metadata"] as string) as unknown,
    tags: JSON.parse(row["tags"] as string) as unknown,
    pinned: row["pinned"] === 1,
    private: row["private"] === 1,
    seq: undefined,
  };
}

const TEXT = { type: "string" };
const NUMBER = { type: "number" };
const KINDS = {
  text: { type: "string", nullable: true },
  integer: { type: "integer", nullable: true },
  time: { type: "integer", nullable: true },
  bytes: { type: "integer", nullable: true },
  boolean: { type: "boolean" },
  status: NUMBER,
  list: { type: "array", items: TEXT },
  object: { type: "object", additionalProperties: true },
};

/** The JSON schema of what {@link toWire} returns. */
export const WIRE_SCHEMA = {
  type: "object",
  properties: {
    id: TEXT,
    object: TEXT,
    created: NUMBER,
    owned_by: TEXT,
    model: TEXT,
    ...Object.fromEntries(MODEL_FIELDS.map(({ name, type }) => [name, KINDS[type]])),
  },
};
