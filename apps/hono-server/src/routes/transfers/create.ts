import { z } from "zod";

import { answerChange } from "../../answer/answer-change.ts";
import { route } from "../../route.ts";
import { MODEL_EXAMPLE } from "../../schemas/examples.ts";
import { preferHeader } from "../../schemas/headers.ts";
import { modelSchema, wireModelText } from "../../schemas/model.ts";
import { TRANSFER_EXAMPLE, toWireTransfer, transferSchema } from "../../schemas/transfer.ts";

const transferHeaders = z.object({
  Location: z.string().optional().meta({ description: "Where the transfer is" }),
});

export const createTransfer = route({
  method: "post",
  path: "/v1/transfers",
  operationId: "createTransfer",
  summary: "Asks for a model to be fetched",
  description:
    "What the reference means is found out before the answer: `hf.co/org/repo[:quantization][@revision]`, `org/repo`, " +
    "the address of a file on Hugging Face, `tinyllama:1b-gguf` of cortex.so, or the URL of a `.gguf` file. " +
    "A model has one transfer, however many ask: one that is under way is joined, one that is paused or failed goes on. " +
    "The model is registered once all its files are here and verified, and is whose it is who asked first. " +
    "It needs the right `run`; `change` where another state of the model is here.",
  tag: "transfers",
  request: {
    headers: z.object({ Prefer: preferHeader }),
    body: z.strictObject({
      reference: z.string().meta({ example: "tinyllama:1b-gguf" }),
      alias: z
        .string()
        .optional()
        .meta({ description: "What to call it; a short name is made when left out" }),
      private: z
        .boolean()
        .optional()
        .meta({ description: "Only whoever asks, and administrators, are to see it" }),
    }),
  },
  responses: {
    200: {
      description: "The transfer that there is already; or the model, where nothing is to be fetched",
      schema: z.discriminatedUnion("object", [transferSchema, modelSchema]),
      headers: transferHeaders,
      example: MODEL_EXAMPLE,
    },
    201: {
      description: "The transfer",
      schema: transferSchema,
      headers: transferHeaders,
      example: TRANSFER_EXAMPLE,
    },
    204: { description: "As 200; the client prefers no body", headers: transferHeaders },
  },
  errors: ["not_found", "name_taken", "source_unreachable"],
  handle: async (c, { body: { reference, alias, private: isPrivate } }) => {
    const wishes = { alias, private: isPrivate, signal: c.req.raw.signal };
    const asked = await c.get("service").sources.request(c.get("caller"), reference, wishes);
    if ("model" in asked) return answerChange(c, wireModelText(asked.model), 200);
    const { transfer, isNew } = asked;
    const headers = { location: `/v1/transfers/${transfer.transferId}` };
    return answerChange(c, JSON.stringify(toWireTransfer(transfer)), isNew ? 201 : 200, headers);
  },
});
