import { z } from "zod";

import { answerChange } from "../../answer/answer-change.ts";
import { route } from "../../route.ts";
import { preferHeader } from "../../schemas/headers.ts";
import { TRANSFER_EXAMPLE, toWireTransfer, transferSchema } from "../../schemas/transfer.ts";
import { toTransferId, transferPath } from "./path.ts";

export const pauseTransfer = route({
  method: "post",
  path: "/v1/transfers/{transfer_id}/pause",
  operationId: "pauseTransfer",
  summary: "Lets a transfer rest: the work stops within a second, and what is here stays",
  tag: "transfers",
  request: { path: transferPath, headers: z.object({ Prefer: preferHeader }) },
  responses: {
    200: {
      description: "The transfer",
      schema: transferSchema,
      example: { ...TRANSFER_EXAMPLE, state: "paused" },
    },
    204: { description: "It rests; the client prefers no body" },
  },
  errors: ["not_found"],
  handle: async (c, { path }) => {
    const transfer = await c.get("caller").transfers.pause(toTransferId(path.transfer_id));
    return answerChange(c, JSON.stringify(toWireTransfer(transfer)), 200);
  },
});
