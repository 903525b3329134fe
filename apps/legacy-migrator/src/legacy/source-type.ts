import type { SourceType } from "@cortex/model-db";

import type { LegacyEntry } from "./legacy-entry.ts";

/** A record's fields that tell where the model came from. */
export type SourceSigns = Pick<
  LegacyEntry,
  "modelId" | "author" | "branch" | "configPath" | "status" | "modelFormat" | "modelSource"
>;

/**
 * Where a model of the old store came from. The old stores do not say so in one place: API models have
 * the format `remote`; cortex.so models the author `cortexso`; imports the author `local`, the branch or
 * source `imported`; Hugging Face models an id or a path with `huggingface.co`, or `author:repository:file`.
 *
 * @returns `undefined` where nothing tells.
 */
export function sourceTypeOf(signs: SourceSigns): SourceType | undefined {
  const { modelId, author, branch, status, modelFormat, modelSource } = signs;
  const path = (signs.configPath ?? "").replaceAll("\\", "/");
  if (modelFormat === "remote" || /(?:^|\/)models\/remote\//.test(path)) return "remote";
  // Before Hugging Face: the source of a cortex.so model is a repository there.
  if (author === "cortexso" || modelFormat === "cortexso" || path.includes("models/cortex.so/"))
    return "cortex.so";
  if (author === "local" || branch === "imported" || modelSource === "imported" || modelFormat === "local") {
    return "local";
  }
  if (path.includes("models/imported/")) return "local";
  if (modelId.startsWith("huggingface.co/") || path.includes("models/huggingface.co/")) return "huggingface";
  if (modelFormat === "hf-gguf" || /^https?:\/\/huggingface\.co\//.test(modelSource ?? ""))
    return "huggingface";
  if (
    author !== null &&
    author !== "" &&
    modelId.split(":").length === 3 &&
    modelId.startsWith(`${author}:`)
  ) {
    return "huggingface";
  }
  return status === "remote" ? "remote" : undefined;
}
