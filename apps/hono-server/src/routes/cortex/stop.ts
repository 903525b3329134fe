import { RegistryError } from "@cortex/model-db";
import { z } from "zod";

import { HttpError } from "../../errors.ts";
import { oldMessageSchema, requireField } from "../../schemas/cortex.ts";
import { isHttpLease } from "./http-lease.ts";
import { withAndWithoutPrefix } from "./with-and-without-prefix.ts";

const STOPPED = { message: "Stopped successfully!" };

export const stopModel = withAndWithoutPrefix({
  method: "post",
  path: "/models/stop",
  operationId: "stopModel",
  summary: "Gives back the lease of start",
  description: "What another program runs it alone can stop.",
  tag: "cortex",
  request: { body: z.object({ model: z.string().nullish() }).optional() },
  responses: { 200: { description: "The lease is gone", schema: oldMessageSchema, example: STOPPED } },
  errors: ["missing_field", "model_not_found", "model_not_running", "model_running", "lease_lost"],
  handle: async (c, { body }) => {
    const name = requireField(body?.model, "model");
    const { runs } = c.get("caller");
    const leases = await runs.list({ name });
    const own = leases.filter(isHttpLease);
    for (const { token } of own) await runs.release(token);
    if (own.length > 0) return c.json(STOPPED);
    const [other] = leases;
    if (other === undefined) throw new HttpError("model_not_running", `${name} is not running.`);
    throw new RegistryError("model_running", `${name} is run by ${other.holder}, which alone can stop it.`);
  },
});
