import { join } from "node:path";

import type { FileRole } from "@cortex/model-db";

import { LOCAL, type Found, type FoundFile, type FoundModel, type Origin } from "./found-model.ts";
import { asArray, asObject, asText } from "./json-value.ts";
import type { StoreReader } from "./store-reader.ts";
import type { Store } from "./store.ts";

const DIGEST = /^sha256:([0-9a-f]{64})$/;
const BLOB = /^sha256-([0-9a-f]{64})$/;
const PARTIAL = /^sha256-([0-9a-f]{64})-partial(?:-\d+)?$/;
const LAYER = "application/vnd.ollama.image.";
// What is left out is not needed to run the model, and shared by many.
const ROLES: Readonly<Record<string, FileRole>> = {
  model: "weights",
  adapter: "weights",
  projector: "mmproj",
  template: "template",
  params: "config",
};
const DEFAULT_NAMESPACE = "library";

/**
 * The store of Ollama: `manifests/<host>/<namespace>/<model>/<tag>` names the layers of a model, which are
 * `blobs/sha256-<digest>`.
 */
export const ollama: Store = {
  name: "ollama",
  places: ({ env, home, platform }) => [
    env["OLLAMA_MODELS"] || join(home, ".ollama", "models"),
    ...(platform === "linux" ? ["/usr/share/ollama/.ollama/models"] : []),
  ],
  isLaidOutIn: (root, reader) =>
    reader.isFolder(join(root, "manifests")) &&
    reader.list(join(root, "blobs")).some(({ name }) => BLOB.test(name)),
  read: readOllama,
};

async function* readOllama(root: string, reader: StoreReader): AsyncGenerator<Found, undefined> {
  const folder = join(root, "blobs");
  const unused = new Set(reader.list(folder).map(({ name }) => name));
  for await (const { entries } of reader.walk(join(root, "manifests"))) {
    for (const { path, relativePath } of entries) {
      await reader.rest();
      const [host, namespace, model, tag, ...more] = relativePath.split("/");
      if (tag === undefined || more.length > 0 || model === undefined || tag.startsWith(".")) continue;
      const layers = readManifest(path, reader);
      if (layers === undefined) continue;
      for (const { sha256 } of layers) unused.delete(`sha256-${sha256}`);
      if (isCloudModel(layers, folder, reader)) continue;
      const name =
        namespace === DEFAULT_NAMESPACE ? `${model}:${tag}` : `${host}/${namespace}/${model}:${tag}`;
      const found = { kind: "model", store: "ollama", storePath: root, name, modelId: name } as const;
      yield {
        ...found,
        ...readLayers(layers, folder, unused, reader),
        origin: originOf(host!, namespace!, model),
      };
    }
    yield* reader.takeFindings();
  }
  yield* leftOver(root, unused, reader);
  yield* reader.takeFindings();
}

interface Layer {
  /** The part of its media type that tells layers apart; `config` for the configuration. */
  readonly type: string;
  readonly sha256: string;
  readonly sizeBytes: number | null;
}

function readManifest(path: string, reader: StoreReader): Layer[] | undefined {
  const manifest = asObject(reader.json(path));
  if (manifest === undefined) return undefined;
  const layers: Layer[] = [];
  for (const entry of [...asArray(manifest["layers"]), manifest["config"]]) {
    const layer = asObject(entry);
    // A digest becomes a part of a path.
    const [, sha256] = DIGEST.exec(asText(layer?.["digest"]) ?? "") ?? [];
    if (layer === undefined || sha256 === undefined) {
      reader.note(path, "names a layer without a digest");
      return undefined;
    }
    const mediaType = asText(layer["mediaType"]) ?? "";
    const type = mediaType.startsWith(LAYER) ? mediaType.slice(LAYER.length) : "config";
    const { size } = layer;
    layers.push({ type, sha256, sizeBytes: typeof size === "number" ? size : null });
  }
  return layers;
}

// One that runs elsewhere has a manifest, and no weights.
function isCloudModel(layers: readonly Layer[], folder: string, reader: StoreReader): boolean {
  if (layers.some(({ type }) => type === "model")) return false;
  const config = layers.find(({ type }) => type === "config");
  if (config === undefined) return false;
  const said = asObject(reader.json(join(folder, `sha256-${config.sha256}`)));
  return Boolean(asText(said?.["remote_host"]));
}

function readLayers(
  layers: readonly Layer[],
  folder: string,
  unused: Set<string>,
  reader: StoreReader,
): Pick<FoundModel, "state" | "reason" | "files"> {
  const files: FoundFile[] = [];
  const problems: string[] = [];
  let isPartial = false;
  for (const { type, sha256, sizeBytes } of layers) {
    const name = `sha256-${sha256}`;
    const file = reader.file(join(folder, name), ROLES[type] ?? "other", sha256);
    files.push(file);
    if (file.sizeBytes === null) {
      if (unused.delete(`${name}-partial`)) isPartial = true;
      else problems.push(`its ${type} is not there`);
    } else if (sizeBytes !== null && file.sizeBytes !== sizeBytes) {
      problems.push(`its ${type} has ${file.sizeBytes} bytes and not ${sizeBytes}`);
    }
  }
  if (problems.length > 0) return { state: "broken", reason: problems.join(", "), files };
  if (isPartial) return { state: "partial", reason: "its download has not ended", files };
  return { state: "whole", reason: null, files };
}

/** A manifest below `hf.co` is of a repository of Hugging Face; its tag says the quantization. */
function originOf(host: string, namespace: string, model: string): Origin {
  if (host !== "hf.co" && host !== "huggingface.co") return LOCAL;
  return { sourceType: "huggingface", authorRepo: `${namespace}/${model}`, branch: "main", commit: null };
}

function* leftOver(
  root: string,
  unused: ReadonlySet<string>,
  reader: StoreReader,
): Generator<FoundModel, undefined> {
  const partial = [...unused].filter((name) => PARTIAL.test(name));
  for (const [sha256, names] of Map.groupBy(partial, (name) => PARTIAL.exec(name)![1]!)) {
    // What stands beside a download that a manifest waits for says only how far it is.
    if (!names.includes(`sha256-${sha256}-partial`)) continue;
    const files = names.map((name) => reader.partialFile(join(root, "blobs", name)));
    yield leftOverModel(root, sha256, "partial", "its download has not ended", files);
  }
  for (const name of unused) {
    const [, sha256] = BLOB.exec(name) ?? [];
    if (sha256 === undefined) continue;
    const files = [reader.file(join(root, "blobs", name), "other", sha256)];
    yield leftOverModel(root, sha256, "detached", "no manifest names it", files);
  }
}

function leftOverModel(
  root: string,
  sha256: string,
  state: "partial" | "detached",
  reason: string,
  files: readonly FoundFile[],
): FoundModel {
  const name = `sha256:${sha256.slice(0, 12)}`;
  return {
    kind: "model",
    store: "ollama",
    storePath: root,
    name,
    modelId: name,
    state,
    reason,
    files,
    origin: LOCAL,
  };
}
