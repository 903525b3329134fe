import { z } from "zod";

import { invalidInput } from "../../request/invalid-input.ts";

/** The path of one lease. */
export const runPath = z.object({
  token: z.string().meta({
    description: "Its token",
    override: { type: "integer", minimum: 1 },
    example: 42,
  }),
});

/** The token in a path. @throws RegistryError `invalid_input` */
export function toToken(text: string): number {
  const token = /^\d{1,16}$/.test(text) ? Number(text) : 0;
  if (token >= 1 && Number.isSafeInteger(token)) return token;
  throw invalidInput("token", "token must be a whole number from 1: the token of a lease.");
}
