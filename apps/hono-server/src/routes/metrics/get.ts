import { z } from "zod";

import { route } from "../../route.ts";

export const getMetrics = route({
  method: "get",
  path: "/metrics",
  operationId: "getMetrics",
  summary: "Figures for Prometheus",
  description:
    "Requests, commits, event streams, the size of the registry and the process; for those who may see every model, also how many there are by source and status.",
  tag: "service",
  request: {},
  responses: {
    200: {
      description: "The figures",
      contentType: "text/plain; version=0.0.4; charset=utf-8",
      schema: z.string(),
      example:
        '# HELP cortex_models How many models there are\n# TYPE cortex_models gauge\ncortex_models{source_type="huggingface",status="ready"} 12\n',
    },
  },
  errors: [],
  handle: async (c) => {
    const { metrics } = c.get("service");
    return c.body(await metrics.render(c.get("caller").seesAll), 200, {
      "content-type": metrics.contentType,
      "cache-control": "no-store",
    });
  },
});
