import { toRunRecord } from "@cortex/model-db";
import { z } from "zod";

import { changeAnswer } from "../../answer/answer-change.ts";
import { changingRoute } from "../../route.ts";
import { preferHeader } from "../../schemas/headers.ts";
import { RUN_EXAMPLE, runSchema, ttlSchema } from "../../schemas/run.ts";
import { runPath, toToken } from "./path.ts";

export const renewRun = changingRoute({
  method: "patch",
  path: "/v1/runs/{token}",
  operationId: "renewRun",
  summary: "Extends a lease that still holds, from now",
  tag: "runs",
  request: {
    path: runPath,
    headers: z.object({ Prefer: preferHeader }),
    body: z.strictObject({ ttl_ms: ttlSchema.optional() }).prefault({}),
  },
  responses: {
    200: { description: "The lease", schema: runSchema, example: RUN_EXAMPLE },
    204: { description: "It is renewed; the client prefers no body" },
  },
  errors: ["lease_lost"],
  change: async (caller, { path, body: { ttl_ms } }, asked) => {
    const run = await caller.runs.renew(toToken(path.token), { ttlMs: ttl_ms });
    return changeAnswer(asked, JSON.stringify(toRunRecord(run)), 200);
  },
});
