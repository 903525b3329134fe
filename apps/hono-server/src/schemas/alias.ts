import type { Model } from "@cortex/model-db";
import { z } from "zod";

/** An alias on the wire. */
export const aliasSchema = z
  .object({
    alias: z.string(),
    model_id: z.string(),
    primary: z.boolean().meta({ description: "Whether it is the model's `alias`, not one of its `aliases`" }),
  })
  .meta({ id: "Alias" });

/** The aliases of a model, the primary one first. */
export function toWireAliases({ modelId, alias, aliases }: Model): z.output<typeof aliasSchema>[] {
  const further = aliases.map((name) => ({ alias: name, model_id: modelId, primary: false }));
  return alias === null ? further : [{ alias, model_id: modelId, primary: true }, ...further];
}
