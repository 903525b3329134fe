import type { RemoteModel } from "../hub/remote-model.ts";
import type { ChosenFile } from "../reference/choose-files.ts";
import type { ModelReference } from "../reference/model-reference.ts";

/** What a pulled model is called, and where in a models folder its files go. */
export interface PullNames {
  readonly modelId: string;
  /** With `/` between its parts. */
  readonly folder: string;
}

/**
 * Names a pulled model as the old cortex program did, so that its clients find it:
 *
 * - Hugging Face: `org:repo:file.gguf` in `huggingface.co/org/repo`; weights that are no GGUF file, `org:repo`;
 * - cortex.so: `name:branch` in `cortex.so/name/branch`;
 * - any other server: `host/path/file.gguf` in `host/path`.
 *
 * A revision of Hugging Face other than `main`, which the old program did not tell apart, stands behind the
 * repository: `org:repo@revision:file.gguf` in `huggingface.co/org/repo@revision`. No repository has an `@` in its
 * name, and a `/` of the revision is written as `%2F`, so that no two of them are the same.
 */
export function pullNames(
  reference: ModelReference,
  { sourceType, repo, branch }: RemoteModel,
  chosen: readonly ChosenFile[],
): PullNames {
  const first = chosen.find(({ role }) => role === "weights")!.file.path;
  if (reference.kind === "file" || repo === null || branch === null) return namesOfUrl(reference);
  const [organisation, name] = repo.split("/") as [string, string];
  const revision = encodeURIComponent(branch);
  if (sourceType === "cortex.so" && reference.file === null && reference.quantization === null) {
    return { modelId: `${name}:${branch}`, folder: `cortex.so/${name}/${revision}` };
  }
  const named = branch === "main" ? name : `${name}@${revision}`;
  const folder = `huggingface.co/${organisation}/${named}`;
  const modelId = `${organisation}:${named}`;
  return { modelId: /\.gguf$/i.test(first) ? `${modelId}:${first}` : modelId, folder };
}

// A colon would be no part of a file's name everywhere.
function namesOfUrl(reference: ModelReference): PullNames {
  const { host, pathname } = new URL((reference as { url: string }).url);
  const parts = [host.replaceAll(":", "_"), ...pathname.split("/").filter((part) => part !== "")];
  const modelId = parts.map((part) => decodeURIComponent(part)).join("/");
  return { modelId, folder: modelId.slice(0, modelId.lastIndexOf("/")) };
}
