import type { Transfer } from "@cortex/model-db";
import { RegistryError } from "@cortex/model-db";
import { z } from "zod";

import { requireField } from "../../schemas/cortex.ts";
import { withAndWithoutPrefix } from "./with-and-without-prefix.ts";

const taskSchema = z
  .object({
    id: z.string().meta({ description: "The model's id: names the task" }),
    type: z.literal("Model"),
    items: z.array(
      z.object({
        id: z.string(),
        downloadUrl: z.string(),
        localPath: z.string().meta({ description: "Below the models folder" }),
        checksum: z.string(),
        bytes: z.int().nonnegative(),
        downloadedBytes: z.int().nonnegative(),
      }),
    ),
  })
  .meta({ id: "OldDownloadTask" });

export const pullModel = withAndWithoutPrefix({
  method: "post",
  path: "/models/pull",
  operationId: "pullModel",
  summary: "Begins to fetch a model",
  description: "The same as a transfer, which goes on after the answer. `id` becomes a name of the model.",
  tag: "cortex",
  request: {
    body: z
      .object({
        model: z.string().nullish().meta({ example: "tinyllama:1b-gguf" }),
        id: z.string().nullish(),
        name: z.string().nullish().meta({ description: "Is ignored" }),
      })
      .optional(),
  },
  responses: {
    200: {
      description: "It is being fetched",
      schema: z.object({ message: z.string(), task: taskSchema }),
      example: {
        message: "Model start downloading!",
        task: {
          id: "tinyllama:1b-gguf",
          type: "Model",
          items: [
            {
              id: "model.gguf",
              downloadUrl: "https://huggingface.co/cortexso/tinyllama/resolve/1b-gguf/model.gguf",
              localPath: "cortex.so/tinyllama/1b-gguf/model.gguf",
              checksum: "N/A",
              bytes: 667_814_368,
              downloadedBytes: 0,
            },
          ],
        },
      },
    },
  },
  errors: ["missing_field", "not_found", "name_taken", "source_unreachable"],
  handle: async (c, { body }) => {
    const reference = requireField(body?.model, "model");
    const { sources } = c.get("service");
    const alias = body?.id ?? undefined;
    const asked = await sources.request(c.get("caller"), reference, { alias, signal: c.req.raw.signal });
    if ("model" in asked) {
      throw new RegistryError("name_taken", `${asked.model.modelId} is here already.`);
    }
    return c.json({ message: "Model start downloading!", task: toTask(asked.transfer) });
  },
});

function toTask({ modelId, files }: Transfer): z.output<typeof taskSchema> {
  return {
    id: modelId,
    type: "Model",
    items: files.map(({ path, url, sha256, sizeBytes, doneBytes }) => ({
      id: path.slice(path.lastIndexOf("/") + 1),
      downloadUrl: url,
      localPath: path,
      checksum: sha256 ?? "N/A",
      bytes: sizeBytes ?? 0,
      downloadedBytes: doneBytes,
    })),
  };
}
