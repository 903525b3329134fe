import { EVENT_KINDS, type GuardedRegistry, RegistryError, toEventRecord } from "@cortex/model-db";
import { z } from "zod";

import { nextLink } from "../../answer/next-link.ts";
import { invalidInput } from "../../request/invalid-input.ts";
import { route } from "../../route.ts";
import { eventSchema } from "../../schemas/event.ts";
import { modelSchema, toWireModel } from "../../schemas/model.ts";
import { pageHeaders, pageSchema } from "../../schemas/page.ts";
import { cursorParameter, limitParameter, momentParameter } from "../../schemas/parameters.ts";

export const listHistory = route({
  method: "get",
  path: "/v1/history",
  operationId: "listHistory",
  summary: "What happened to the models, also to those that are gone; or what a model was",
  description: "With `at`, the answer is the model as it was at that time.",
  tag: "history",
  request: {
    query: z.strictObject({
      model_id: z
        .string()
        .optional()
        .meta({ description: "An id or an alias; also the id of a deleted model" }),
      at: momentParameter(
        "Answer with what the model was then; needs `model_id` and nothing else",
      ).optional(),
      actor: z.string().optional().meta({ description: "Who made the change" }),
      kind: z.array(z.enum(EVENT_KINDS)).optional().meta({ description: "Of several any will do" }),
      since: momentParameter("At or after this time").optional(),
      until: momentParameter("At or before this time").optional(),
      order: z.enum(["asc", "desc"]).optional().meta({ description: "`desc`, newest first, when left out" }),
      limit: limitParameter,
      cursor: cursorParameter,
    }),
  },
  responses: {
    200: {
      description: "A page of events; with `at`, a model",
      schema: z.discriminatedUnion("object", [pageSchema(eventSchema), modelSchema]),
      headers: pageHeaders,
      example: {
        object: "list",
        data: [
          {
            event_id: 7,
            model_id: "tinyllama:1b-gguf",
            kind: "tagged",
            actor: "anna",
            at: 1_767_225_600_000,
            row_version: 2,
            before: { tags: [] },
            after: { tags: ["chat"] },
            origin: { address: "192.0.2.7", request_id: "0e8400e2-9b2f-41d4-a716-446655440000" },
          },
        ],
        next_cursor: null,
      },
    },
  },
  errors: ["model_not_found"],
  handle: async (c, { query: { model_id, at, ...options } }) => {
    const caller = c.get("caller");
    const modelId = model_id === undefined ? undefined : await toModelId(caller, model_id);
    if (at !== undefined) {
      if (modelId === undefined)
        throw invalidInput("at", "at needs model_id: the model that is asked about.");
      const [other] = Object.entries(options).find(([, value]) => value !== undefined) ?? [];
      if (other !== undefined) throw invalidInput(other, `${other} cannot be combined with at.`);
      const model = await caller.history.modelAt(modelId, at);
      if (model !== undefined) return c.json(toWireModel(model));
      const when = new Date(at).toISOString();
      throw new RegistryError(
        "model_not_found",
        `There was no model ${JSON.stringify(model_id)} at ${when}.`,
      );
    }
    const { items, nextCursor } = await caller.history.list({ ...options, modelId });
    const page = { object: "list", data: items.map(toEventRecord), next_cursor: nextCursor };
    return c.json(page, 200, nextLink(c, nextCursor));
  },
});

// The id of a model that is gone means its history, unless it is an alias of another by now.
async function toModelId({ models }: GuardedRegistry, name: string): Promise<string> {
  return (await models.findByName(name))?.modelId ?? name;
}
