import { z } from "zod";

import { answerLines } from "../../bulk/answer-lines.ts";
import { toNewModel } from "../../request/to-input.ts";
import { route } from "../../route.ts";
import { idempotencyKeyHeader } from "../../schemas/headers.ts";
import { lineSchema } from "../../schemas/line.ts";
import { newModelSchema } from "../../schemas/model.ts";
import { flagParameter } from "../../schemas/parameters.ts";

export const bulkCreateModels = route({
  method: "post",
  path: "/v1/models:bulk-create",
  operationId: "bulkCreateModels",
  summary: "Registers many models: a line for each in, a line for each out",
  description:
    "The answer begins while the body still comes: read it while you send. A line that is refused does not stop the others, unless `atomic` is asked for. After a line that says why the rest was not done, none follows.",
  tag: "bulk",
  request: {
    query: z.strictObject({
      on_existing: z
        .enum(["skip", "fail"])
        .optional()
        .meta({ description: "What a model that is registered already is: `fail`, an error, when left out" }),
      atomic: flagParameter(
        "All lines or none, of at most 256 MiB: the first that is refused is the answer",
      ).optional(),
    }),
    headers: z.object({ "Idempotency-Key": idempotencyKeyHeader }),
    lines: newModelSchema,
  },
  responses: {
    200: {
      description: "A line for each: 201 registered, 200 passed over, else why it was refused",
      contentType: "application/x-ndjson",
      schema: lineSchema,
      example: { line: 1, status: 201, id: "tinyllama:1b-gguf" },
    },
  },
  errors: ["name_taken", "idempotency_key_in_use", "idempotency_key_reused"],
  handle: (c, { query }) =>
    answerLines(c, {
      schema: newModelSchema,
      isAtomic: query.atomic === true,
      apply: async ({ models }, line) => {
        const id = line.model_id;
        if (query.on_existing === "skip" && (await models.find(id)) !== undefined) return { status: 200, id };
        await models.create(toNewModel(line));
        return { status: 201, id };
      },
    }),
});
