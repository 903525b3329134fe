import type { Model, ModelFile, Run } from "@cortex/model-db";
import { z } from "zod";

import { toParameterSize } from "./parameter-size.ts";
import { shortNameOf } from "./short-name.ts";

/** A digest that is not known, for a program that cannot do without one. */
const UNKNOWN_DIGEST = "0".repeat(64);

const name = z.string().meta({ description: "What the model is called: its alias, else its id" });
const digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .optional()
  .meta({
    description:
      "The SHA-256 of its weights, where it is known and they are one file; else Ollama's own program is told zeros",
  });
const time = z.iso.datetime();

const detailsSchema = z
  .object({
    format: z.string().optional(),
    family: z.string().optional().meta({ description: "Its architecture" }),
    families: z.array(z.string()).optional(),
    parameter_size: z.string().optional().meta({ example: "7.2B" }),
    quantization_level: z.string().optional(),
    context_length: z.int().optional(),
  })
  .meta({ id: "OllamaDetails", description: "What is known of it" });

/** One model of `/api/tags`. What is not known is absent. */
export const ollamaModelSchema = z
  .object({
    name,
    model: name,
    modified_at: time,
    size: z.int().optional().meta({ description: "Bytes" }),
    digest,
    details: detailsSchema,
    capabilities: z.array(z.string()).optional(),
  })
  .meta({ id: "OllamaModel" });

/** One model of `/api/ps`. How much memory it takes the registry cannot know. */
export const ollamaRunningModelSchema = z
  .object({ name, model: name, digest, details: detailsSchema, expires_at: time })
  .meta({ id: "OllamaRunningModel" });

/** What `/api/show` tells. */
export const ollamaShowSchema = z
  .object({
    details: detailsSchema,
    model_info: z
      .looseObject({ "general.architecture": z.string() })
      .meta({ description: "By the keys of GGUF; the architecture is empty where it is not known" }),
    capabilities: z.array(z.string()).optional(),
    modified_at: time,
  })
  .meta({ id: "OllamaShow" });

/** A model by the field in which a client of today, or an older one, names it. */
export const ollamaNameSchema = z.object({
  model: z.string().optional(),
  name: z.string().optional().meta({ description: "The older word for model" }),
});

/**
 * A model of `/api/tags`.
 *
 * @param needsDigest whether a digest is told in any case.
 */
export function toOllamaModel(
  model: Model,
  files: readonly ModelFile[],
  needsDigest: boolean,
): z.input<typeof ollamaModelSchema> {
  const { sizeBytes, updatedAt } = model;
  return {
    ...namesOf(model),
    modified_at: new Date(updatedAt).toISOString(),
    ...(sizeBytes === null ? {} : { size: sizeBytes }),
    ...digestOf(files, needsDigest),
    details: toDetails(model),
    ...capabilitiesOf(model),
  };
}

/**
 * A model of `/api/ps`, with the lease that holds longest.
 *
 * @param needsDigest whether a digest is told in any case.
 */
export function toOllamaRunningModel(
  model: Model,
  files: readonly ModelFile[],
  { expiresAt }: Run,
  needsDigest: boolean,
): z.input<typeof ollamaRunningModelSchema> {
  return {
    ...namesOf(model),
    ...digestOf(files, needsDigest),
    details: toDetails(model),
    expires_at: new Date(expiresAt).toISOString(),
  };
}

/** What `/api/show` tells of a model. */
export function toOllamaShow(model: Model): z.input<typeof ollamaShowSchema> {
  const { architecture, parameterCount, contextLength, updatedAt } = model;
  const isContextKnown = architecture !== null && contextLength !== null;
  return {
    details: toDetails(model),
    model_info: {
      // Clients take the other keys' beginning from here, and some fail where it is no text.
      "general.architecture": architecture ?? "",
      ...(parameterCount === null ? {} : { "general.parameter_count": parameterCount }),
      ...(isContextKnown ? { [`${architecture}.context_length`]: contextLength } : {}),
    },
    ...capabilitiesOf(model),
    modified_at: new Date(updatedAt).toISOString(),
  };
}

function namesOf(model: Model): { name: string; model: string } {
  const called = shortNameOf(model);
  return { name: called, model: called };
}

function toDetails(model: Model): z.input<typeof detailsSchema> {
  const { format, architecture, parameterCount, quantization, contextLength } = model;
  return {
    ...(format === null ? {} : { format }),
    ...(architecture === null ? {} : { family: architecture, families: [architecture] }),
    ...(parameterCount === null ? {} : { parameter_size: toParameterSize(parameterCount) }),
    ...(quantization === null ? {} : { quantization_level: quantization }),
    ...(contextLength === null ? {} : { context_length: contextLength }),
  };
}

// An empty list is what is not known.
function capabilitiesOf({ capabilities }: Model): { capabilities?: string[] } {
  return capabilities.length === 0 ? {} : { capabilities: [...capabilities] };
}

function digestOf(files: readonly ModelFile[], needsDigest: boolean): { digest?: string } {
  const [weights, ...others] = files.filter(({ role }) => role === "weights");
  if (others.length === 0 && weights?.sha256 != null) return { digest: weights.sha256 };
  return needsDigest ? { digest: UNKNOWN_DIGEST } : {};
}
