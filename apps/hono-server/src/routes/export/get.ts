import { type GuardedRegistry, toFileRecord, toRecord } from "@cortex/model-db";

import { streamAnswer } from "../../answer/stream-answer.ts";
import { route } from "../../route.ts";
import { MODEL_EXAMPLE } from "../../schemas/examples.ts";
import { exportedModelSchema } from "../../schemas/model.ts";

const PAGE = 500;

export const exportModels = route({
  method: "get",
  path: "/v1/export",
  operationId: "exportModels",
  summary: "Every model with its files, one JSON object per line, in the order of the ids",
  description:
    "What `cortex apply` reads, and `cortex export` writes. Each page of it is read when it is sent: what others change meanwhile may show. Where it fails, it breaks off.",
  tag: "bulk",
  request: {},
  responses: {
    200: {
      description: "A line for each",
      contentType: "application/x-ndjson",
      schema: exportedModelSchema,
      example: exportExample(),
    },
  },
  errors: [],
  handle: (c) => {
    const headers = { "content-type": "application/x-ndjson" };
    return c.req.method === "HEAD"
      ? c.body(null, 200, headers)
      : streamAnswer(c, pages(c.get("caller")), headers);
  },
});

async function* pages({ models, files }: GuardedRegistry): AsyncGenerator<string, undefined> {
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await models.list({ sort: { field: "model_id" }, limit: PAGE, cursor });
    const filesOf = await files.listMany(page.items.map(({ modelId }) => modelId));
    let lines = "";
    for (const model of page.items) {
      // Deleted since it was read, it is in neither.
      const known = filesOf.get(model.modelId);
      if (known === undefined) continue;
      lines += `${JSON.stringify({ ...toRecord(model), files: known.map(toFileRecord) })}\n`;
    }
    if (lines !== "") yield lines;
    cursor = page.nextCursor;
  }
}

function exportExample(): object {
  const {
    id: _id,
    object: _object,
    created: _created,
    owned_by: _owner,
    model: _model,
    ...record
  } = MODEL_EXAMPLE;
  return { ...record, files: [] };
}
