import { z } from "zod";

import { invalidInput } from "../../request/invalid-input.ts";

/** The path of one transfer. */
export const transferPath = z.object({
  transfer_id: z.string().meta({
    description: "Its number",
    override: { type: "integer", minimum: 1 },
    example: 3,
  }),
});

/** The number in a path. @throws RegistryError `invalid_input` */
export function toTransferId(text: string): number {
  const id = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  if (id >= 1 && Number.isSafeInteger(id)) return id;
  throw invalidInput("transfer_id", "transfer_id must be a whole number from 1: the number of a transfer.");
}
