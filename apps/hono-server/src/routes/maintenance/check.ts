import { checkRegistry, type Finding } from "@cortex/model-db";
import { z } from "zod";

import { route } from "../../route.ts";
import { flagParameter } from "../../schemas/parameters.ts";
import { OneAtATime } from "./one-at-a-time.ts";

const findingSchema = z
  .object({
    code: z.string().meta({ description: "One word of a closed set" }),
    severity: z
      .enum(["damage", "warning"])
      .meta({ description: "`damage`: the registry is not what was written. `warning`: it is" }),
    subject: z.string().meta({ description: "What it is about: a model, an event, a table, a file" }),
    message: z.string(),
    remedy: z.string().meta({ description: "What to do about it" }),
  })
  .meta({ id: "Finding" });

const checks = new OneAtATime("A check");

export const checkMaintenance = route({
  method: "post",
  path: "/v1/maintenance/check",
  operationId: "checkRegistry",
  summary: "Looks whether the registry is what was written to it; nothing is changed",
  description: "For administrators. One at a time.",
  tag: "maintenance",
  request: {
    query: z.strictObject({
      full: flagParameter(
        "Everything: all rows and checksums, the history, the search index, and the models' files",
      ).optional(),
    }),
  },
  responses: {
    200: {
      description: "What is not as it should be; nothing where all is well",
      schema: z
        .object({
          is_sound: z.boolean().meta({ description: "Whether there is no damage" }),
          findings: z.array(findingSchema),
        })
        .meta({ id: "Check" }),
      example: {
        is_sound: true,
        findings: [
          {
            code: "file_gone",
            severity: "warning",
            subject: "tinyllama:1b-gguf",
            message: "model.gguf of tinyllama:1b-gguf is not there.",
            remedy: "Bring the file back, or record what is so.",
          },
        ],
      },
    },
  },
  errors: ["too_busy"],
  handle: async (c, { query: { full = false } }) => {
    const { location } = c.get("caller");
    const leave = checks.enter();
    try {
      const findings: Finding[] = [];
      for await (const finding of checkRegistry(location, { full })) {
        findings.push(finding);
        // Whoever asked is gone.
        if (c.req.raw.signal.aborted) break;
      }
      return c.json({ is_sound: findings.every(({ severity }) => severity !== "damage"), findings });
    } finally {
      leave();
    }
  },
});
