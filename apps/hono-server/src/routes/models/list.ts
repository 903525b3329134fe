import { parseListWords, Projection } from "@cortex/model-db";
import { z } from "zod";

import { JsonText } from "../../answer/json-text.ts";
import { nextLink } from "../../answer/next-link.ts";
import { invalidInput } from "../../request/invalid-input.ts";
import { keptRoute } from "../../route.ts";
import { MODEL_EXAMPLE } from "../../schemas/examples.ts";
import { ifNoneMatchHeader } from "../../schemas/headers.ts";
import { partialModelSchema, WIRE } from "../../schemas/model.ts";
import { keptPageHeaders, pageSchema } from "../../schemas/page.ts";
import {
  cursorParameter,
  flagParameter,
  modelsLimitParameter,
  repeatedParameter,
} from "../../schemas/parameters.ts";

const anyOf = (what: string): z.ZodOptional<z.ZodArray<z.ZodString>> =>
  repeatedParameter(`${what}; of several any will do, and an empty one means "not known"`).optional();

/** What chooses and orders models. */
const listQuery = z.strictObject({
  source_type: anyOf("Where it came from").meta({ example: ["huggingface"] }),
  status: anyOf("`ready` or `running`"),
  author_repo: anyOf("The author or the repository"),
  branch: anyOf("The branch or version"),
  availability: anyOf("Whether its files are here"),
  engine: anyOf("What runs it"),
  format: anyOf("The format of its files"),
  architecture: anyOf("Its architecture"),
  quantization: anyOf("Its quantization"),
  owner: anyOf("The user whose it is"),
  private: anyOf("`true` or `false`: whether only its owner and administrators see it"),
  tag: repeatedParameter("Tags that it has, all of them").optional(),
  any_tag: repeatedParameter("Tags of which it has one").optional(),
  without_tag: repeatedParameter("Tags that it has not").optional(),
  filter: repeatedParameter(
    "A field, one of = != > >= < <= ~ and a value, as in `size_bytes>4GB`; all must hold",
  ).optional(),
  search: z
    .string()
    .optional()
    .meta({ description: "Words that are all part of its id, an alias, the repository, the notes or a tag" }),
  sort: z.string().optional().meta({
    description: "A field, or a field and `:desc`; newest first when left out",
    example: "size_bytes:desc",
  }),
  fields: z.string().optional().meta({
    description: "The fields to answer with, with commas between; `id` and `object` are always there",
    example: "alias,size_bytes",
  }),
  limit: modelsLimitParameter,
  cursor: cursorParameter,
  total: flagParameter("Count all that match, too").optional(),
});

export const listModels = keptRoute({
  method: "get",
  path: "/v1/models",
  operationId: "listModels",
  summary: "A page of the models, newest first",
  tag: "models",
  request: { query: listQuery, headers: z.object({ "If-None-Match": ifNoneMatchHeader }) },
  responses: {
    200: {
      description: "A page",
      schema: pageSchema(partialModelSchema),
      headers: keptPageHeaders,
      example: { object: "list", data: [MODEL_EXAMPLE], next_cursor: null },
    },
    304: { description: "No model that the caller sees has changed", headers: keptPageHeaders },
  },
  errors: [],
  read: async ({ models }, { query }, target) => {
    const { items, nextCursor, total } = await models.listJson(
      parseListWords(
        {
          ...query,
          sourceType: query.source_type,
          authorRepo: query.author_repo,
          anyTag: query.any_tag,
          withoutTag: query.without_tag,
        },
        (word) => word,
      ),
      query.fields === undefined ? WIRE : picking(query.fields),
    );
    const rest = { next_cursor: nextCursor, ...(total === undefined ? {} : { total }) };
    const pieces = around(items, `{"object":"list","data":[`, `],${JSON.stringify(rest).slice(1)}`);
    return new JsonText(pieces, nextLink(target, nextCursor));
  },
});

function around(items: readonly string[], before: string, after: string): readonly string[] {
  if (items.length === 0) return [before + after];
  const pieces = [...items];
  pieces[0] = before + pieces[0]!;
  pieces[pieces.length - 1] += after;
  return pieces;
}

const PICKED = new Set(WIRE.fields.map(({ key }) => key));
const MAX_PICKINGS = 100;
// Each has statements of its own, compiled once.
const pickings = new Map<string, Projection>();

function picking(fields: string): Projection {
  const wanted = new Set(fields.split(",").map((name) => name.trim()));
  for (const name of wanted) {
    if (!PICKED.has(name))
      throw invalidInput(
        "fields",
        `fields: there is no ${JSON.stringify(name)}. Fields: ${[...PICKED].join(", ")}.`,
      );
  }
  wanted.add("id").add("object");
  const picked = WIRE.fields.filter(({ key }) => wanted.has(key));
  const shape = picked.map(({ key }) => key).join(",");
  const known = pickings.get(shape);
  if (known !== undefined) return known;
  const projection = new Projection(picked);
  if (pickings.size >= MAX_PICKINGS) pickings.delete(pickings.keys().next().value!);
  pickings.set(shape, projection);
  return projection;
}
