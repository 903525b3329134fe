import { lstat, readFile } from "node:fs/promises";

import { isMap, parseDocument } from "yaml";

import type { ModelFacts } from "../facts/model-facts.ts";
import { putText } from "../folders/put-file.ts";
import { seenFrom } from "../recorded-path.ts";

/** What the old program's file beside a model says of it. */
export interface ModelYml {
  readonly modelId: string;
  /** The absolute paths of the weights. */
  readonly weights: readonly string[];
  readonly projector: string | undefined;
  readonly sizeBytes: number;
  /** `undefined` where the file's header says nothing. */
  readonly facts: ModelFacts | undefined;
}

const MAX_BYTES = 1024 * 1024;

/**
 * Writes the YAML by which clients of the old program know a model (`legacy-cortex.md`, "model.yml"), over what is
 * there of it: what the source says there, and what somebody changed, stays, except for what the model is and where
 * its files are.
 *
 * @param path absolute.
 * @param dataFolder where the paths in it begin: that of the registry.
 * @param isOurs whether we have written what is there; another file that does not say of which model it is stays.
 * @returns whether it was written; not where a file is in its place that is of another model, or none of these.
 */
export async function writeModelYml(
  path: string,
  dataFolder: string,
  yml: ModelYml,
  isOurs = false,
): Promise<boolean> {
  const before = await readYml(path);
  if (before === null) return false;
  const document = parseDocument(before ?? "", { logLevel: "silent", uniqueKeys: false });
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) return false;
  const owner = document.get("model");
  if (before !== undefined && owner !== yml.modelId && !(isOurs && owner === undefined)) return false;
  if (document.contents === null) document.contents = document.createNode(newFields(yml)) as never;
  document.set("model", yml.modelId);
  document.set(
    "files",
    yml.weights.map((each) => seenFrom(dataFolder, each)),
  );
  if (yml.projector !== undefined) document.set("mmproj", seenFrom(dataFolder, yml.projector));
  document.set("size", yml.sizeBytes);
  await putText(path, document.toString({ lineWidth: 0 }));
  return true;
}

function newFields({ modelId, facts }: ModelYml): Record<string, unknown> {
  const contextLength = facts?.contextLength ?? null;
  const blockCount = facts?.dimensions?.blockCount;
  return {
    id: modelId,
    model: modelId,
    name: facts?.name ?? modelId,
    version: 2,
    files: [],
    size: 0,
    stream: true,
    top_p: 0.95,
    temperature: 0.7,
    ...(contextLength === null ? {} : { max_tokens: contextLength }),
    engine: "llama-cpp",
    ...(contextLength === null ? {} : { ctx_len: contextLength }),
    ...(blockCount === undefined ? {} : { ngl: blockCount + 1 }),
  };
}

/** @returns `undefined` where nothing is, `null` where something else is. */
async function readYml(path: string): Promise<string | undefined | null> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isFile() || found.size > MAX_BYTES) return null;
  return readFile(path, "utf8");
}
