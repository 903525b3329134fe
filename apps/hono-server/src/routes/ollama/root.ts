import { z } from "zod";

import { route } from "../../route.ts";

const GREETING = "Ollama is running";

export const getOllamaGreeting = route({
  method: "get",
  path: "/",
  operationId: "getOllamaGreeting",
  summary: "Whether somebody answers",
  tag: "ollama",
  request: {},
  responses: {
    200: {
      description: "The text by which clients of Ollama know that the server is there",
      contentType: "text/plain",
      schema: z.literal(GREETING),
      example: GREETING,
    },
  },
  errors: [],
  handle: (c) => c.text(GREETING),
});
