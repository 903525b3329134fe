import { z } from "zod";

import { route } from "../../route.ts";

export const getHealth = route({
  method: "get",
  path: "/healthz",
  operationId: "getHealth",
  summary: "Whether the service is alive",
  description: "It answers, and looks at nothing else. No token is needed.",
  tag: "service",
  request: {},
  responses: {
    200: {
      description: "It is",
      schema: z.object({ status: z.literal("alive") }),
      example: { status: "alive" },
    },
  },
  errors: [],
  handle: (c) => c.json({ status: "alive" }, 200, { "cache-control": "no-store" }),
});
