import { join } from "node:path";

/**
 * Where the old program keeps the YAML of a model, by its id (`ModelHandler` of cortex.cpp):
 * `models/imported/<id>.yml`, `models/cortex.so/<name>/<branch>/model.yml`, and beside the weights in
 * `models/huggingface.co/<author>/<repository>/`.
 *
 * @returns absolute paths, best first; they need not exist, and none leaves the `models` folder.
 */
export function usualConfigPaths(
  dataFolder: string,
  modelId: string,
  author: string,
  branch: string,
): string[] {
  const models = join(dataFolder, "models");
  const found: string[] = [];
  const add = (...parts: string[]): void => {
    if (parts.every(isFileName)) found.push(join(models, ...parts));
  };
  if (branch === "imported") add("imported", `${modelId}.yml`);
  if (author === "cortexso") {
    const colon = modelId.indexOf(":");
    if (colon > 0) add("cortex.so", modelId.slice(0, colon), branch, "model.yml");
  }
  const parts = modelId.startsWith("huggingface.co/") ? modelId.split("/").slice(1) : modelId.split(":");
  if (parts.length === 3) {
    const [owner, repository, file] = parts as [string, string, string];
    add("huggingface.co", owner, repository, `${file.replace(/\.gguf$/i, "")}.yml`);
  }
  return found;
}

function isFileName(part: string): boolean {
  return part !== "" && part !== "." && part !== ".." && !/[/\\\0]/.test(part);
}
