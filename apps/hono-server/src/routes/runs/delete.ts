import { z } from "zod";

import { changeAnswer } from "../../answer/answer-change.ts";
import { changingRoute } from "../../route.ts";
import { preferHeader } from "../../schemas/headers.ts";
import { runPath, toToken } from "./path.ts";

export const deleteRun = changingRoute({
  method: "delete",
  path: "/v1/runs/{token}",
  operationId: "deleteRun",
  summary: "Gives a lease back; with the last one the model is READY",
  tag: "runs",
  request: { path: runPath, headers: z.object({ Prefer: preferHeader }) },
  responses: {
    200: {
      description: "It holds no longer",
      schema: z.object({ token: z.int(), deleted: z.literal(true) }).meta({ id: "DeletedRun" }),
      example: { token: 42, deleted: true },
    },
    204: { description: "It holds no longer; the client prefers no body" },
  },
  errors: ["lease_lost"],
  change: async (caller, { path }, asked) => {
    const token = toToken(path.token);
    await caller.runs.release(token);
    return changeAnswer(asked, JSON.stringify({ token, deleted: true }), 200);
  },
});
