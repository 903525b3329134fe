import { MODEL_STATUS } from "@cortex/model-db";
import { z } from "zod";

import { HttpError } from "../../errors.ts";
import { oldMessageSchema } from "../../schemas/cortex.ts";
import { withAndWithoutPrefix } from "./with-and-without-prefix.ts";

const RUNNING = { message: "Model is running" };

export const getModelStatus = withAndWithoutPrefix({
  method: "get",
  path: "/models/status/{model_id}",
  operationId: "getModelStatus",
  summary: "Whether a model runs",
  tag: "cortex",
  request: { path: z.object({ model_id: z.string() }) },
  responses: { 200: { description: "It does", schema: oldMessageSchema, example: RUNNING } },
  errors: ["model_not_found", "model_not_running"],
  handle: async (c, { path }) => {
    const { status } = await c.get("caller").models.resolve(path.model_id);
    if (status === MODEL_STATUS.RUNNING) return c.json(RUNNING);
    throw new HttpError("model_not_running", `${path.model_id} is not running.`);
  },
});
