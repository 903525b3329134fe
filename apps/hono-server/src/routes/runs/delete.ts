import { z } from "zod";

import { answerChange } from "../../answer/answer-change.ts";
import { route } from "../../route.ts";
import { preferHeader } from "../../schemas/headers.ts";
import { runPath, toToken } from "./path.ts";

export const deleteRun = route({
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
  handle: async (c, { path }) => {
    const token = toToken(path.token);
    await c.get("caller").runs.release(token);
    return answerChange(c, { token, deleted: true }, 200);
  },
});
