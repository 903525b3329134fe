const HUGGING_FACE = "huggingface.co/";

/**
 * One spelling for the two that the releases gave the same Hugging Face file: `model.list` has
 * `huggingface.co/author/repository/file`, `cortex.db` has `author:repository:file`. Any other id is
 * its own.
 */
export function canonicalId(modelId: string): string {
  if (!modelId.startsWith(HUGGING_FACE)) return modelId;
  const parts = modelId.split("/");
  return parts.length === 4 && parts.every((part) => part !== "" && !part.includes(":"))
    ? parts.slice(1).join(":")
    : modelId;
}

/** The other spelling of the same Hugging Face file; `undefined` for an id of another kind. */
export function twinId(modelId: string): string | undefined {
  const canonical = canonicalId(modelId);
  if (canonical !== modelId) return canonical;
  const parts = modelId.split(":");
  const isFile = parts.length === 3 && parts.every((part) => part !== "" && !part.includes("/"));
  return isFile ? `${HUGGING_FACE}${parts.join("/")}` : undefined;
}
