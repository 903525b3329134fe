import { join, posix, resolve } from "node:path";

import { readCortexFolder } from "./cortex-cpp.ts";
import { LOCAL, type Found, type FoundFile } from "./found-model.ts";
import type { Entry, StoreReader } from "./store-reader.ts";
import type { Store } from "./store.ts";
import { MAX_YAML_BYTES, readYamlTexts } from "./yaml-keys.ts";

const KEYS: ReadonlySet<string> = new Set([
  "model_path",
  "mmproj_path",
  "name",
  "size_bytes",
  "sha256",
  "mmproj_sha256",
]);
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * The data folder of Jan: `llamacpp/models/<id>/model.yml`, which says where the weights are, anywhere on the machine;
 * before that the layout of the old cortex program, in `models`.
 */
export const jan: Store = {
  name: "jan",
  places: ({ env, home, platform }) => {
    if (platform === "win32")
      return [join(env["APPDATA"] || join(home, "AppData", "Roaming"), "Jan", "data")];
    if (platform === "darwin") return [join(home, "Library", "Application Support", "Jan", "data")];
    // Its sources do not agree.
    return [
      join(env["XDG_CONFIG_HOME"] || join(home, ".config"), "Jan", "data"),
      join(env["XDG_DATA_HOME"] || join(home, ".local", "share"), "Jan", "data"),
    ];
  },
  isLaidOutIn: (root, reader) => reader.isFolder(join(root, "llamacpp", "models")),
  read: readJan,
};

async function* readJan(root: string, reader: StoreReader): AsyncGenerator<Found, undefined> {
  const folder = join(root, "llamacpp", "models");
  for await (const { entries } of reader.walk(folder)) {
    const yml = entries.find(({ relativePath }) => posix.basename(relativePath) === "model.yml");
    const found = yml && readYml(yml, root, reader);
    if (found !== undefined) yield found;
    yield* reader.takeFindings();
  }
  for await (const found of readCortexFolder(join(root, "models"), root, reader, "jan")) {
    yield found.kind === "model" ? { ...found, storePath: root } : found;
  }
  yield* reader.takeFindings();
}

function readYml({ path, relativePath }: Entry, root: string, reader: StoreReader): Found | undefined {
  const text = reader.text(path, MAX_YAML_BYTES);
  if (text === undefined) return undefined;
  const modelId = posix.dirname(relativePath);
  let texts;
  try {
    texts = readYamlTexts(text, KEYS);
  } catch {
    reader.note(path, "is no YAML");
    return undefined;
  }
  const one = (key: string): string | undefined => texts.get(key)?.[0] || undefined;
  const modelPath = one("model_path");
  if (modelPath === undefined) {
    reader.note(path, "does not say where its model is");
    return undefined;
  }
  const digest = (key: string): string | null => (SHA256.test(one(key) ?? "") ? one(key)! : null);
  const files: FoundFile[] = [reader.file(resolve(root, modelPath), "weights", digest("sha256"))];
  const projector = one("mmproj_path");
  if (projector !== undefined)
    files.push(reader.file(resolve(root, projector), "mmproj", digest("mmproj_sha256")));
  const model = {
    kind: "model",
    store: "jan",
    storePath: root,
    name: modelId,
    modelId,
    files,
    origin: LOCAL,
  } as const;
  const gone = files.find(({ sizeBytes }) => sizeBytes === null);
  if (gone !== undefined) {
    const what = gone.role === "mmproj" ? "its projector is" : "its weights are";
    return { ...model, state: "broken", reason: `${what} not there` };
  }
  const promised = Number(one("size_bytes") ?? NaN);
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes!, 0);
  // Some versions count the projector in, and some do not.
  if (promised > 0 && ![sizeBytes, files[0]!.sizeBytes].includes(promised)) {
    return { ...model, state: "broken", reason: `it has ${sizeBytes} bytes and not ${promised}` };
  }
  return { ...model, state: "whole", reason: null };
}
