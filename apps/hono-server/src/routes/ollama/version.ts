import { z } from "zod";

import { route } from "../../route.ts";
import { version } from "../../version.ts";

export const getOllamaVersion = route({
  method: "get",
  path: "/api/version",
  operationId: "getOllamaVersion",
  summary: "The version of this server",
  tag: "ollama",
  request: {},
  responses: {
    200: {
      description: "Its own, not one of Ollama's",
      schema: z.object({ version: z.string() }),
      example: { version: "1.0.0" },
    },
  },
  errors: [],
  handle: (c) => c.json({ version: version() }),
});
