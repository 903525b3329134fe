import { z } from "zod";

import { answerChange } from "../../answer/answer-change.ts";
import { route } from "../../route.ts";
import { preferHeader } from "../../schemas/headers.ts";
import { TRANSFER_EXAMPLE, toWireTransfer, transferSchema } from "../../schemas/transfer.ts";
import { toTransferId, transferPath } from "./path.ts";

export const resumeTransfer = route({
  method: "post",
  path: "/v1/transfers/{transfer_id}/resume",
  operationId: "resumeTransfer",
  summary: "Lets a transfer that is paused or failed go on where it was",
  tag: "transfers",
  request: { path: transferPath, headers: z.object({ Prefer: preferHeader }) },
  responses: {
    200: {
      description: "The transfer",
      schema: transferSchema,
      example: { ...TRANSFER_EXAMPLE, state: "queued" },
    },
    204: { description: "It goes on; the client prefers no body" },
  },
  errors: ["not_found"],
  handle: async (c, { path }) => {
    const { sources } = c.get("service");
    const transfer = await sources.resume(c.get("caller"), toTransferId(path.transfer_id));
    return answerChange(c, JSON.stringify(toWireTransfer(transfer)), 200);
  },
});
