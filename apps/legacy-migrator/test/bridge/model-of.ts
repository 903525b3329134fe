import { MODEL_STATUS, type Model } from "@cortex/model-db";

import type { ListRow } from "../../src/bridge/list-row.ts";
import { RegisteredModels } from "../../src/bridge/registered-models.ts";

/** A row with this id; fields that are not given are made of it. */
export function row(modelId: string, fields: Partial<ListRow> = {}): ListRow {
  return {
    modelId,
    author: "local",
    branch: "imported",
    configPath: `/data/models/imported/${modelId}.yml`,
    alias: modelId,
    status: "READY",
    ...fields,
  };
}

/** The model of which a row says all that is known. */
function modelOf({ modelId, author, branch, configPath, alias, status }: ListRow): Model {
  return {
    modelId,
    sourceType: "local",
    authorRepo: author,
    branch,
    configPath,
    alias,
    aliases: [],
    status: MODEL_STATUS[status],
    createdAt: 0,
    updatedAt: 0,
    availability: "present",
    engine: null,
    format: null,
    architecture: null,
    quantization: null,
    parameterCount: null,
    contextLength: null,
    sizeBytes: null,
    capabilities: [],
    metadata: {},
    tags: [],
    notes: null,
    pinned: false,
    owner: null,
    private: false,
    lastUsedAt: null,
    rowVersion: 1,
    rowChecksum: "",
  };
}

/** A registry of these rows. */
export function registered(rows: readonly ListRow[]): RegisteredModels {
  return new RegisteredModels(rows.map(modelOf));
}
