import { z } from "zod";

import { toErrorBody } from "../../errors.ts";
import { route } from "../../route.ts";
import { errorSchema } from "../../schemas/error.ts";

const NO_STORE = { "cache-control": "no-store" };

export const getReadiness = route({
  method: "get",
  path: "/readyz",
  operationId: "getReadiness",
  summary: "Whether the service can read and write its registry",
  description:
    "It tries, at most once a second. The code of a failure is the reason: `database_damaged`, `database_busy`, `read_only`, `disk_full`, `shutting_down` and others. No token is needed.",
  tag: "service",
  request: {},
  responses: {
    200: {
      description: "It can",
      schema: z.object({ status: z.literal("ready") }),
      example: { status: "ready" },
    },
    503: {
      description: "It cannot now; the code says why",
      schema: errorSchema,
      example: {
        error: {
          code: "database_busy",
          message: "The registry cannot do that now; its operator can see why in the log.",
          type: "server_error",
          param: null,
          request_id: "8d7f0b3e-2f64-4d6b-9c0f-1f4b7f0f8a11",
        },
      },
    },
  },
  errors: [],
  handle: async (c) => {
    try {
      await c.get("service").readiness.check();
    } catch (error) {
      // For the log.
      c.error = error as Error;
      // Whatever the failure's own status is: who asks wants to know whether to send requests here.
      return c.json(toErrorBody(error, c.get("requestId")), 503, NO_STORE);
    }
    return c.json({ status: "ready" }, 200, NO_STORE);
  },
});
