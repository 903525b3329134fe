import { RegistryError } from "@cortex/model-db";
import { z } from "zod";

import { requireField } from "../../schemas/cortex.ts";
import { withAndWithoutPrefix } from "./with-and-without-prefix.ts";

export const stopPull = withAndWithoutPrefix({
  method: "delete",
  path: "/models/pull",
  operationId: "stopPull",
  summary: "Gives up fetching a model, and deletes what was fetched of it",
  tag: "cortex",
  request: {
    body: z
      .object({
        taskId: z.string().nullish().meta({ description: "The model's id", example: "tinyllama:1b-gguf" }),
      })
      .optional(),
  },
  responses: {
    200: {
      description: "It is given up",
      schema: z.object({ message: z.string(), taskId: z.string() }),
      example: { message: "Download stopped successfully", taskId: "tinyllama:1b-gguf" },
    },
  },
  errors: ["missing_field", "not_found"],
  handle: async (c, { body }) => {
    const taskId = requireField(body?.taskId, "taskId");
    const caller = c.get("caller");
    const state = ["queued", "running", "paused", "failed"] as const;
    const [transfer] = (await caller.transfers.list({ modelId: taskId, state, limit: 1 })).items;
    if (transfer === undefined) throw new RegistryError("not_found", `${taskId} is not being fetched.`);
    await c.get("service").sources.cancel(caller, transfer.transferId);
    return c.json({ message: "Download stopped successfully", taskId });
  },
});
