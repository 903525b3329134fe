import { z } from "zod";

import { route } from "../src/route.ts";

/** A route that says what came of a body, to be mounted beside the others. */
export const echo = route({
  method: "post",
  path: "/echo",
  operationId: "echo",
  summary: "",
  tag: "models",
  request: { body: z.strictObject({ name: z.string(), count: z.int().optional() }) },
  responses: {},
  errors: [],
  handle: (c, { body }) => c.json(body),
});
