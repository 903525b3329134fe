import { z } from "zod";

import { route } from "../../route.ts";

const GREETING = "Ollama is running";
// Browsers name it; clients of Ollama say nothing, or that they take anything.
const WANTS_PAGE = /\btext\/html\b/;
const vary = z.literal("Accept").meta({ description: "The answer depends on it" });

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
      headers: z.object({ Vary: vary }),
      contentType: "text/plain",
      schema: z.literal(GREETING),
      example: GREETING,
    },
    302: {
      description: "Where the page of all routes is, for browsers, which accept `text/html`",
      headers: z.object({ Vary: vary, Location: z.string().meta({ description: "The page" }) }),
    },
  },
  errors: [],
  handle: (c) => {
    c.header("vary", "Accept");
    // Relative, for those who put a path before ours.
    return WANTS_PAGE.test(c.req.header("accept") ?? "") ? c.redirect("docs") : c.text(GREETING);
  },
});
