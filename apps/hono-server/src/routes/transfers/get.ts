import { route } from "../../route.ts";
import { TRANSFER_EXAMPLE, toWireTransfer, transferSchema } from "../../schemas/transfer.ts";
import { toTransferId, transferPath } from "./path.ts";

export const getTransfer = route({
  method: "get",
  path: "/v1/transfers/{transfer_id}",
  operationId: "getTransfer",
  summary: "How far a transfer is",
  tag: "transfers",
  request: { path: transferPath },
  responses: { 200: { description: "The transfer", schema: transferSchema, example: TRANSFER_EXAMPLE } },
  errors: ["not_found"],
  handle: async (c, { path }) => {
    const transfer = await c.get("caller").transfers.get(toTransferId(path.transfer_id));
    return c.json(toWireTransfer(transfer));
  },
});
