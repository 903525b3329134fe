import { RegistryError } from "@cortex/model-db";
import { z } from "zod";

import { requireField } from "../../schemas/cortex.ts";
import { withAndWithoutPrefix } from "./with-and-without-prefix.ts";

export const importOldModel = withAndWithoutPrefix({
  method: "post",
  path: "/models/import",
  operationId: "importModel",
  summary: "Registers a model file that lies on the server's machine, where it is",
  description:
    "Only from folders that the operator allows (`--import-folder`); none by default. The file is never copied, moved or changed.",
  tag: "cortex",
  request: {
    body: z
      .object({
        model: z.string().nullish().meta({ description: "Its id" }),
        modelPath: z.string().nullish().meta({ description: "Absolute" }),
        name: z.string().nullish().meta({ description: "Is ignored" }),
        option: z.enum(["symlink", "copy"]).nullish().meta({ description: "`copy` is refused" }),
      })
      .optional(),
  },
  responses: {
    200: {
      description: "It is there",
      schema: z.object({ result: z.literal("OK"), modelHandle: z.string(), message: z.string() }),
      example: { result: "OK", modelHandle: "my-model", message: "Model is imported successfully!" },
    },
  },
  errors: ["missing_field", "not_found", "name_taken"],
  handle: async (c, { body }) => {
    const modelId = requireField(body?.model, "model");
    const path = requireField(body?.modelPath, "modelPath");
    if (body?.option === "copy") {
      throw new RegistryError("invalid_input", "Files are imported where they are: leave option out.", {
        field: "option",
      });
    }
    const { sources } = c.get("service");
    const [result] = await sources.import(c.get("caller"), path, { modelId }, c.req.raw.signal);
    if (result === undefined) throw new RegistryError("not_found", "There is no model file at modelPath.");
    if (result.outcome === "refused") throw result.error;
    const message = "Model is imported successfully!";
    return c.json({ result: "OK", modelHandle: result.model.modelId, message });
  },
});
