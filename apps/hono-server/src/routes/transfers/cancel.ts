import { z } from "zod";

import { answerChange } from "../../answer/answer-change.ts";
import { route } from "../../route.ts";
import { preferHeader } from "../../schemas/headers.ts";
import { TRANSFER_EXAMPLE, toWireTransfer, transferSchema } from "../../schemas/transfer.ts";
import { toTransferId, transferPath } from "./path.ts";

export const cancelTransfer = route({
  method: "delete",
  path: "/v1/transfers/{transfer_id}",
  operationId: "cancelTransfer",
  summary: "Gives a transfer up and deletes what it has written, and nothing else",
  tag: "transfers",
  request: { path: transferPath, headers: z.object({ Prefer: preferHeader }) },
  responses: {
    200: {
      description: "The transfer",
      schema: transferSchema,
      example: { ...TRANSFER_EXAMPLE, state: "cancelled", finished_at: 1_767_225_700_000 },
    },
    204: { description: "It is given up; the client prefers no body" },
  },
  errors: ["not_found"],
  handle: async (c, { path }) => {
    const { sources } = c.get("service");
    const transfer = await sources.cancel(c.get("caller"), toTransferId(path.transfer_id));
    return answerChange(c, JSON.stringify(toWireTransfer(transfer)), 200);
  },
});
