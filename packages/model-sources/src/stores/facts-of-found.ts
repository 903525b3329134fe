import { basename, dirname, extname } from "node:path";

import { isRegistryError, type NewModel } from "@cortex/model-db";

import { readGgufFacts } from "../facts/gguf-facts.ts";
import type { ModelFacts } from "../facts/model-facts.ts";
import { recordOfFacts } from "../facts/record-of-facts.ts";
import { LocalFile } from "../import/local-file.ts";
import { factsOfAll } from "../import/local-model.ts";
import { modelsInFolder } from "../import/models-in-folder.ts";
import type { FoundFile, FoundModel } from "./found-model.ts";

/** What a found model's files say of it, as its record says it. */
export type FoundFacts = Pick<NewModel, "format"> & Partial<ReturnType<typeof recordOfFacts>>;

/**
 * Reads what the files of a found model say.
 *
 * @returns a sentence that says why it is no model, where it is none.
 * @throws what is wrong with the machine and not with the files.
 */
export async function factsOfFound({ name, files }: FoundModel): Promise<FoundFacts | string> {
  const weights = files.filter(({ role }) => role === "weights");
  // Stores that call files by their digests keep GGUF files.
  const format = extname(weights[0]!.path).toLowerCase() === ".safetensors" ? "safetensors" : "gguf";
  try {
    if (format === "safetensors") return (await factsOfFolder(files)) ?? { format };
    const parts: ModelFacts[] = [];
    for (const file of weights) parts.push(await readFacts(file, name));
    const facts = factsOfAll(parts);
    if (facts.kind !== "model") return `It is ${KINDS[facts.kind]}.`;
    const capabilities = [...facts.capabilities];
    for (const file of files) {
      // A projector that is damaged takes nothing away from the model.
      if (file.role === "mmproj")
        capabilities.push(...((await readFacts(file, name).catch(() => undefined))?.capabilities ?? []));
    }
    return recordOfFacts({ ...facts, capabilities: [...new Set(capabilities)] });
  } catch (error) {
    if (!isRegistryError(error)) throw error;
    return error.message;
  }
}

/** @returns `undefined` where nothing beside the weights says what they are. */
async function factsOfFolder(files: readonly FoundFile[]): Promise<FoundFacts | undefined> {
  const folder = dirname(files.find(({ role }) => role === "weights")!.path);
  const names = files.filter(({ path }) => dirname(path) === folder).map(({ path }) => basename(path));
  const local = await modelsInFolder(folder, names)[0]?.read();
  return local && recordOfFacts(local.facts);
}

const KINDS: Readonly<Record<Exclude<ModelFacts["kind"], "model">, string>> = {
  projector: "a projector without its model",
  adapter: "an adapter for a model",
  vocabulary: "only the vocabulary of a model",
  other: "no model that runs by itself",
};

async function readFacts({ path }: FoundFile, name: string): Promise<ModelFacts> {
  await using file = await LocalFile.open(path);
  return await readGgufFacts(file, extname(path) === ".gguf" ? path : name);
}
