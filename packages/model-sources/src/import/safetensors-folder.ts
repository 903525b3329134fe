import { basename, join } from "node:path";

import { isRegistryError, RegistryError, toVisible } from "@cortex/model-db";

import type { FileGroup } from "../facts/group-files.ts";
import { safetensorsFacts } from "../facts/safetensors-facts.ts";
import { readSafetensorsHeader, type SafetensorsHeader } from "../facts/safetensors-header.ts";
import { parseTransformersConfig } from "../facts/transformers-config.ts";
import { asArray, asObject, asText } from "../stores/json-value.ts";
import { partOf, roleOf } from "../stores/model-files.ts";
import { LocalFile } from "./local-file.ts";
import { checkWhole, type LocalModel, type LocalModelFile } from "./local-model.ts";

const MAX_JSON_BYTES = 4 * 1024 * 1024;
const BESIDE: ReadonlySet<string> = new Set(["config", "tokenizer", "template"]);

/**
 * The weights in a folder as Hugging Face's or as MLX writes it: the parts of one model, or its one file.
 *
 * @param names of the files in the folder.
 * @returns `undefined` where there are none, or no `config.json` says of what.
 */
export function groupSafetensors(names: readonly string[]): FileGroup | undefined {
  const all = names.filter((name) => /\.safetensors$/i.test(name));
  if (all.length === 0 || !names.includes("config.json")) return undefined;
  const sets = Map.groupBy(all, (name) => partOf(name)?.whole ?? name);
  // Beside what is called so there can be the same in another precision, or an adapter.
  const weights = sets.get("model.safetensors") ?? [...sets.values()][0]!;
  const count = partOf(weights[0]!)?.count ?? 0;
  const numbers = new Set(weights.map((name) => partOf(name)?.number));
  const missingParts = Array.from({ length: count <= 1000 ? count : 0 }, (_, index) => index + 1).filter(
    (number) => !numbers.has(number),
  );
  return { weights, missingParts };
}

/**
 * Reads what a folder with safetensors files says.
 *
 * @param names of the files in it.
 * @returns `undefined` where its `config.json` is not that of a model.
 * @throws RegistryError `invalid_input` for what is damaged or not whole; as {@link LocalFile.open}.
 */
export async function readSafetensorsFolder(
  folder: string,
  group: FileGroup,
  names: readonly string[],
  within: readonly string[] | undefined,
): Promise<LocalModel | undefined> {
  const configJson = await readJson(join(folder, "config.json"), within);
  const config = parseTransformersConfig(configJson);
  // That of a part of a diffusion pipeline, among others.
  if (config === undefined) return undefined;
  checkWhole(folder, group);
  const files: LocalModelFile[] = [];
  const headers: SafetensorsHeader[] = [];
  for (const name of group.weights) {
    const path = join(folder, name);
    await using file = await LocalFile.open(path, within);
    headers.push(await readSafetensorsHeader(file));
    files.push({ path, role: "weights", stamp: file.stamp });
  }
  for (const name of names.filter((each) => BESIDE.has(roleOf(each)))) {
    await using file = await LocalFile.open(join(folder, name), within);
    files.push({ path: file.name, role: roleOf(name), stamp: file.stamp });
  }
  const tokenizer = asObject(await optional(names, folder, "tokenizer_config.json", within));
  const facts = safetensorsFacts(headers, {
    folderName: nameOf(folder),
    config,
    configJson,
    chatTemplate: (await templateBeside(names, folder, within)) ?? templateIn(tokenizer?.["chat_template"]),
    tokenizer: asText(tokenizer?.["tokenizer_class"]) ?? null,
    isEmbedder: names.includes("modules.json"),
  });
  return { facts, files, sizeBytes: files.reduce((sum, { stamp }) => sum + stamp.sizeBytes, 0) };
}

// The cache of Hugging Face keeps commits in folders: `models--org--name/snapshots/<commit>`.
function nameOf(folder: string): string {
  const cached = /(?:^|[/\\])models--([^/\\]+)[/\\]snapshots[/\\][^/\\]+$/.exec(folder)?.[1];
  return cached?.split("--").at(-1) ?? basename(folder);
}

async function optional(
  names: readonly string[],
  folder: string,
  name: string,
  within: readonly string[] | undefined,
): Promise<unknown> {
  if (!names.includes(name)) return undefined;
  try {
    return await readJson(join(folder, name), within);
  } catch (error) {
    // What it would tell is not known then; the model is one without it.
    if (isRegistryError(error) && error.code === "invalid_input") return undefined;
    throw error;
  }
}

async function templateBeside(
  names: readonly string[],
  folder: string,
  within: readonly string[] | undefined,
): Promise<string | undefined> {
  const name = names.find((each) => each === "chat_template.jinja");
  return name === undefined ? undefined : (await readSmall(join(folder, name), within)).toString("utf8");
}

// One text, or several by name.
function templateIn(said: unknown): string | null {
  const named = asArray(said).map(asObject);
  const chosen = named.find((each) => each?.["name"] === "default") ?? named[0];
  return asText(said) ?? asText(chosen?.["template"]) ?? null;
}

async function readJson(path: string, within: readonly string[] | undefined): Promise<unknown> {
  const text = (await readSmall(path, within)).toString("utf8");
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new RegistryError("invalid_input", `${toVisible(path)} is no JSON.`);
  }
}

async function readSmall(path: string, within: readonly string[] | undefined): Promise<Buffer> {
  await using file = await LocalFile.open(path, within);
  if (file.sizeBytes > MAX_JSON_BYTES) {
    throw new RegistryError("invalid_input", `${toVisible(path)} is larger than a file of its kind can be.`);
  }
  return Buffer.from(await file.read(0, file.sizeBytes));
}
