import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";

import { isRegistryError, type Model, type ModelFile } from "@cortex/model-db";

import { asRegistryError, LocalFile } from "../import/local-file.ts";
import { groupSafetensors, readSafetensorsFolder } from "../import/safetensors-folder.ts";
import { recordedPath } from "../recorded-path.ts";
import { readGgufFacts } from "./gguf-facts.ts";
import { memoryNeed, type MemoryNeed } from "./memory-need.ts";
import type { ModelDimensions } from "./model-facts.ts";

// What a model is asked for where nobody says, and the model does not either.
const LIKELY_CONTEXT_LENGTH = 4096;

/**
 * What it takes to run a registered model, by what its file says now: see {@link memoryNeed}.
 *
 * @param files as they are recorded.
 * @param location the registry's file: recorded paths that are relative begin at its folder.
 * @param contextLength tokens; the model's own when left out.
 * @returns what is known, and in `caveats` what is not; a file that is gone or damaged is no error.
 */
export async function fitOfModel(
  model: Pick<Model, "contextLength" | "format" | "sizeBytes">,
  files: readonly ModelFile[],
  location: string,
  contextLength?: number,
): Promise<MemoryNeed> {
  const first = files.find(({ role }) => role === "weights");
  const read =
    first === undefined
      ? "No file of it is recorded."
      : await dimensionsIn(recordedPath(location, first.path));
  const own = model.contextLength;
  const tokens = contextLength ?? own ?? LIKELY_CONTEXT_LENGTH;
  const need = memoryNeed(typeof read === "string" ? null : read, model.sizeBytes ?? sizeOf(files), tokens);
  const caveats = [...need.caveats];
  if (typeof read === "string") caveats.push(read);
  if (model.format !== null && model.format !== "gguf") {
    caveats.push("The figures are those of llama.cpp; other engines take other amounts.");
  }
  if (own === null && contextLength === undefined) {
    caveats.push(`How much context it has is not known: ${LIKELY_CONTEXT_LENGTH} tokens are taken.`);
  }
  if (own !== null && tokens > own) caveats.push(`The model was made for ${own} tokens, fewer than these.`);
  return { ...need, caveats };
}

/** @returns a sentence where they cannot be read. */
async function dimensionsIn(path: string): Promise<ModelDimensions | null | string> {
  try {
    if (/\.safetensors$/i.test(path)) return await dimensionsInFolder(dirname(path));
    await using file = await LocalFile.open(path);
    return (await readGgufFacts(file, basename(path))).dimensions;
  } catch (error) {
    if (isRegistryError(error)) return error.message;
    throw error;
  }
}

async function dimensionsInFolder(folder: string): Promise<ModelDimensions | null> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw asRegistryError(folder, error);
  });
  const group = groupSafetensors(names.toSorted());
  const local = group && (await readSafetensorsFolder(folder, group, names, undefined));
  return local?.facts.dimensions ?? null;
}

function sizeOf(files: readonly ModelFile[]): number | null {
  const sizes = files.map(({ sizeBytes }) => sizeBytes);
  return sizes.length === 0 || sizes.includes(null)
    ? null
    : sizes.reduce<number>((sum, size) => sum + size!, 0);
}
