import { join } from "node:path";

import { RegistryError, toVisible, type FileRole } from "@cortex/model-db";

import { readGgufFacts } from "../facts/gguf-facts.ts";
import { stemOf, type FileGroup, type GroupedFiles } from "../facts/group-files.ts";
import type { ModelFacts } from "../facts/model-facts.ts";
import { LocalFile, type FileStamp } from "./local-file.ts";

/** One file of a model on this machine. */
export interface LocalModelFile {
  readonly path: string;
  readonly role: FileRole;
  readonly stamp: FileStamp;
}

/** A model as it lies on this machine. */
export interface LocalModel {
  readonly facts: ModelFacts;
  readonly files: readonly LocalModelFile[];
  readonly sizeBytes: number;
}

/**
 * Reads what the files of one model say.
 *
 * @param folder absolute.
 * @param group its weights.
 * @param beside what else is in the folder.
 * @param within as {@link LocalFile.open}.
 * @throws RegistryError `invalid_input` where parts are missing or contradict each other, or a file is no whole
 *   model file; as {@link LocalFile.open}.
 */
export async function readLocalModel(
  folder: string,
  group: FileGroup,
  beside: GroupedFiles,
  within: readonly string[] | undefined,
): Promise<LocalModel> {
  checkWhole(folder, group);
  const parts: { path: string; facts: ModelFacts; stamp: FileStamp }[] = [];
  for (const name of group.weights) parts.push(await readFile(join(folder, name), name, within));
  checkParts(parts);
  const facts = factsOfAll(parts.map((part) => part.facts));
  const files = parts.map(({ path, stamp }) => ({ path, role: "weights" as const, stamp }));
  const projector = await findProjector(folder, group.weights[0]!, beside, facts, within);
  const all = projector === undefined ? files : [...files, projector.file];
  return {
    facts:
      projector === undefined
        ? facts
        : { ...facts, capabilities: [...facts.capabilities, ...projector.capabilities] },
    files: all,
    sizeBytes: all.reduce((sum, { stamp }) => sum + stamp.sizeBytes, 0),
  };
}

async function readFile(
  path: string,
  name: string,
  within: readonly string[] | undefined,
): Promise<{ path: string; facts: ModelFacts; stamp: FileStamp }> {
  await using file = await LocalFile.open(path, within);
  return { path, facts: await readGgufFacts(file, name), stamp: file.stamp };
}

/** @throws RegistryError `invalid_input` where parts of a split model are missing. */
export function checkWhole(folder: string, { weights, missingParts }: FileGroup): void {
  if (missingParts.length === 0) return;
  const some = missingParts.slice(0, 5).join(", ") + (missingParts.length > 5 ? ", …" : "");
  throw new RegistryError(
    "invalid_input",
    `${toVisible(join(folder, weights[0]!))} is a part of a model of which others are missing: ${some}. Put all parts into one folder.`,
  );
}

function checkParts(parts: readonly { path: string; facts: ModelFacts }[]): void {
  for (const [index, { path, facts }] of parts.entries()) {
    const said = facts.part;
    const isWrong =
      parts.length === 1
        ? said !== null
        : said === null || said.number !== index + 1 || said.count !== parts.length;
    if (!isWrong) continue;
    const what = said === null ? "no part of a model" : `part ${said.number} of ${said.count}`;
    throw new RegistryError(
      "invalid_input",
      `${toVisible(path)} says that it is ${what}, and its name says something else. Give it the name it had.`,
    );
  }
}

/** What a model says whose parts say this. The first part has the header; the others only tensors. */
export function factsOfAll(parts: readonly ModelFacts[]): ModelFacts {
  const [first] = parts;
  if (parts.length === 1) return first!;
  const counts = parts.map(({ parameterCount }) => parameterCount);
  const parameterCount = counts.includes(null)
    ? null
    : counts.reduce<number>((sum, count) => sum + count!, 0);
  return { ...first!, parameterCount, part: null };
}

async function findProjector(
  folder: string,
  model: string,
  { projectors, isOneModel }: GroupedFiles,
  facts: ModelFacts,
  within: readonly string[] | undefined,
): Promise<{ file: LocalModelFile; capabilities: readonly string[] } | undefined> {
  if (facts.kind !== "model" || !facts.capabilities.includes("completion")) return undefined;
  for (const name of projectors.toSorted(byPrecision)) {
    const path = join(folder, name);
    // One that is damaged takes nothing away from the model.
    const read = await readFile(path, name, within).catch(() => undefined);
    if (read?.facts.kind !== "projector") continue;
    const width = read.facts.projectsTo;
    const belongs =
      namesModel(name, model) ??
      // One that names no model is for whatever is beside it; among several, for the one that it is as wide as.
      (isOneModel || (width !== null && width === facts.dimensions?.embeddingLength));
    if (belongs)
      return { file: { path, role: "mmproj", stamp: read.stamp }, capabilities: read.facts.capabilities };
  }
  return undefined;
}

function byPrecision(a: string, b: string): number {
  return precisionRank(a) - precisionRank(b) || (a < b ? -1 : 1);
}

// Half precision is what most are published and run with.
function precisionRank(name: string): number {
  if (/bf16/i.test(name)) return 1;
  return /f16/i.test(name) ? 0 : 2;
}

const GENERAL_WORDS = new Set(["mmproj", "model", "gguf", "ggml"]);

/** Whether the name of a projector is that of a model; `undefined` where it names none. */
function namesModel(projector: string, model: string): boolean | undefined {
  const words = wordsOf(stemOf(projector)).filter((word) => !GENERAL_WORDS.has(word));
  if (words.length === 0) return undefined;
  const others = new Set(wordsOf(model));
  return words.some((word) => others.has(word));
}

function wordsOf(name: string): string[] {
  return name.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? [];
}
