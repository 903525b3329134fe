import { toRunRecord } from "@cortex/model-db";
import { z } from "zod";

import { answerChange } from "../../answer/answer-change.ts";
import { answerOnce } from "../../answer/answer-once.ts";
import { route } from "../../route.ts";
import { idempotencyKeyHeader, preferHeader, replayedHeader } from "../../schemas/headers.ts";
import { RUN_EXAMPLE, runSchema, ttlSchema } from "../../schemas/run.ts";

const runHeaders = z.object({
  Location: z.string().meta({ description: "Where it is renewed and ended" }),
  "Idempotent-Replayed": replayedHeader,
});

export const createRun = route({
  method: "post",
  path: "/v1/runs",
  operationId: "createRun",
  summary: "Claims a model for a program that runs it",
  description:
    "The same holder, node and pid again renews the lease it has. Renew it in time: a model whose leases have run out is not running.",
  tag: "runs",
  request: {
    headers: z.object({ "Idempotency-Key": idempotencyKeyHeader, Prefer: preferHeader }),
    body: z.strictObject({
      model_id: z.string().meta({ description: "An id or an alias" }),
      holder: z
        .string()
        .optional()
        .meta({ description: "A name for whoever runs it; named after the request when left out" }),
      endpoint: z.string().nullable().optional().meta({ description: "Where it answers" }),
      pid: z.int().positive().nullable().optional(),
      node: z.string().optional().meta({ description: "The machine; the server's when left out" }),
      ttl_ms: ttlSchema.optional(),
      join: z
        .boolean()
        .optional()
        .meta({ description: "Share a model that others run already instead of being refused" }),
    }),
  },
  responses: {
    200: {
      description: "The lease it had, renewed",
      schema: runSchema,
      headers: runHeaders,
      example: RUN_EXAMPLE,
    },
    201: { description: "The lease", schema: runSchema, headers: runHeaders, example: RUN_EXAMPLE },
    204: { description: "The lease it had is renewed; the client prefers no body", headers: runHeaders },
  },
  errors: ["model_not_found", "model_running", "idempotency_key_in_use", "idempotency_key_reused"],
  handle: (c, { body }) =>
    answerOnce(c, body, async ({ runs }) => {
      const { model_id, holder, pid = null, ttl_ms, ...claim } = body;
      // Nobody else makes the same request, so a claim without a name never renews another's.
      const named = holder ?? `http:${c.get("requestId")}`;
      const before = await runs.list({ name: model_id });
      const run = await runs.acquire(model_id, { ...claim, holder: named, pid, ttlMs: ttl_ms });
      const isRenewed = before.some(({ token }) => token === run.token);
      return answerChange(c, JSON.stringify(toRunRecord(run)), isRenewed ? 200 : 201, {
        location: `/v1/runs/${run.token}`,
      });
    }),
});
