import { isRegistryError } from "@cortex/model-db";
import { z } from "zod";

import { answerLines } from "../../bulk/answer-lines.ts";
import { route } from "../../route.ts";
import { idempotencyKeyHeader } from "../../schemas/headers.ts";
import { lineSchema } from "../../schemas/line.ts";
import { flagParameter } from "../../schemas/parameters.ts";

const deletionSchema = z
  .strictObject({
    model_id: z.string().meta({ description: "An id or an alias" }),
    row_version: z.int().positive().optional().meta({ description: "Only if it is at this version" }),
  })
  .meta({ id: "Deletion" });

export const bulkDeleteModels = route({
  method: "post",
  path: "/v1/models:bulk-delete",
  operationId: "bulkDeleteModels",
  summary: "Takes many models out of the registry: a line for each in, a line for each out",
  description: "As `bulk-create`: read the answer while you send.",
  tag: "bulk",
  request: {
    query: z.strictObject({
      on_missing: z
        .enum(["skip", "fail"])
        .optional()
        .meta({ description: "What a model that there is not is: `fail`, an error, when left out" }),
      atomic: flagParameter(
        "All lines or none, of at most 256 MiB: the first that is refused is the answer",
      ).optional(),
    }),
    headers: z.object({ "Idempotency-Key": idempotencyKeyHeader }),
    lines: deletionSchema,
  },
  responses: {
    200: {
      description: "A line for each: 200 gone, 204 never there, else why it was refused",
      contentType: "application/x-ndjson",
      schema: lineSchema,
      example: { line: 1, status: 200, id: "tinyllama:1b-gguf" },
    },
  },
  errors: [
    "model_not_found",
    "model_running",
    "row_version_mismatch",
    "idempotency_key_in_use",
    "idempotency_key_reused",
  ],
  handle: (c, { query }) =>
    answerLines(c, {
      schema: deletionSchema,
      isAtomic: query.atomic === true,
      apply: async ({ models }, { model_id, row_version }) => {
        try {
          const { modelId } = await models.delete(model_id, { expectedRowVersion: row_version });
          return { status: 200, id: modelId };
        } catch (error) {
          const isMissing = isRegistryError(error) && error.code === "model_not_found";
          if (isMissing && query.on_missing === "skip") return { status: 204, id: model_id };
          throw error;
        }
      },
    }),
});
