import { join } from "node:path";

import type { FileRole } from "@cortex/model-db";

import { LOCAL, type Found, type FoundFile, type FoundModel, type Origin } from "./found-model.ts";
import { asArray, asObject, asText } from "./json-value.ts";
import type { StoreReader } from "./store-reader.ts";
import type { Store } from "./store.ts";

const DIGEST = /^sha256:([0-9a-f]{64})$/;
// One file names all models.
const MAX_INDEX_BYTES = 64 * 1024 * 1024;
const HEX = /^[0-9a-f]{64}$/;

/**
 * The store of Docker Model Runner: `models.json` names models by their tags, `manifests/sha256/<digest>` says what
 * each of their `blobs/sha256/<digest>` is. What is in `bundles/` is unpacked from blobs, and is not counted again.
 */
export const dockerModelRunner: Store = {
  name: "docker",
  places: ({ env, home }) => [env["MODELS_PATH"] || join(home, ".docker", "models")],
  isLaidOutIn: (root, reader) =>
    reader.list(root).some(({ name }) => name === "models.json") && reader.isFolder(join(root, "blobs")),
  read: readDocker,
};

async function* readDocker(root: string, reader: StoreReader): AsyncGenerator<Found, undefined> {
  const layout = asObject(reader.json(join(root, "layout.json")));
  const version = asText(layout?.["version"]);
  if (version !== undefined && !version.startsWith("1.")) {
    reader.note(root, `has the layout ${version}, which may not be understood in full`);
  }
  const folder = join(root, "blobs", "sha256");
  const unused = new Set(reader.list(folder).map(({ name }) => name));
  const index = asObject(reader.json(join(root, "models.json"), MAX_INDEX_BYTES));
  for (const entry of asArray(index?.["models"])) {
    await reader.rest();
    const found = readEntry(entry, root, unused, reader);
    if (found !== undefined) yield found;
    yield* reader.takeFindings();
  }
  yield* leftOver(root, unused, reader);
  yield* reader.takeFindings();
}

function readEntry(
  entry: unknown,
  root: string,
  unused: Set<string>,
  reader: StoreReader,
): FoundModel | undefined {
  const model = asObject(entry);
  const [, id] = DIGEST.exec(asText(model?.["id"]) ?? "") ?? [];
  if (model === undefined || id === undefined) {
    reader.note(join(root, "models.json"), "names a model without a digest");
    return undefined;
  }
  const tags = asArray(model["tags"]).filter((tag) => typeof tag === "string");
  const name = tags[0] ?? `sha256:${id.slice(0, 12)}`;
  const types = readManifest(id, root, reader);
  const digests = new Set<string>();
  for (const file of asArray(model["files"])) {
    const [, sha256] = DIGEST.exec(asText(file) ?? "") ?? [];
    if (sha256 !== undefined) digests.add(sha256);
  }
  for (const sha256 of types.keys()) digests.add(sha256);
  const files: FoundFile[] = [];
  let isPartial = false;
  let gone = 0;
  for (const sha256 of digests) {
    const { role = "other", sizeBytes } = types.get(sha256) ?? {};
    const file = reader.file(join(root, "blobs", "sha256", sha256), role, sha256);
    files.push(file);
    unused.delete(sha256);
    const isWhole = file.sizeBytes !== null && (sizeBytes === undefined || sizeBytes === file.sizeBytes);
    if (unused.delete(`${sha256}.incomplete`)) isPartial = true;
    else if (!isWhole) gone += 1;
  }
  const found = {
    kind: "model",
    store: "docker",
    storePath: root,
    name,
    modelId: name,
    files,
    origin: originOf(name),
  } as const;
  if (gone > 0) {
    return {
      ...found,
      state: "broken",
      reason: `${gone} of its ${files.length} files are not there, or are others`,
    };
  }
  if (isPartial) return { ...found, state: "partial", reason: "its download has not ended" };
  if (tags.length === 0) return { ...found, state: "detached", reason: "no tag names it" };
  return { ...found, state: "whole", reason: null };
}

/** What each file is, by its digest. */
function readManifest(
  id: string,
  root: string,
  reader: StoreReader,
): Map<string, { readonly role: FileRole; readonly sizeBytes: number | undefined }> {
  const manifest = asObject(reader.json(join(root, "manifests", "sha256", id)));
  const types = new Map<string, { role: FileRole; sizeBytes: number | undefined }>();
  for (const entry of [...asArray(manifest?.["layers"]), manifest?.["config"]]) {
    const layer = asObject(entry);
    const [, sha256] = DIGEST.exec(asText(layer?.["digest"]) ?? "") ?? [];
    if (layer === undefined || sha256 === undefined) continue;
    const { size } = layer;
    types.set(sha256, {
      role: roleOfMediaType(asText(layer["mediaType"]) ?? ""),
      sizeBytes: typeof size === "number" ? size : undefined,
    });
  }
  return types;
}

function roleOfMediaType(mediaType: string): FileRole {
  if (mediaType.includes("mmproj")) return "mmproj";
  if (/gguf|safetensors|\.lora/.test(mediaType)) return "weights";
  if (mediaType.includes("template")) return "template";
  return mediaType.includes("config") ? "config" : "other";
}

function originOf(tag: string): Origin {
  const [, authorRepo] = /^(?:hf\.co|huggingface\.co)\/([^/:]+\/[^/:]+)(?::|$)/.exec(tag) ?? [];
  if (authorRepo === undefined) return LOCAL;
  return { sourceType: "huggingface", authorRepo, branch: "main", commit: null };
}

function* leftOver(
  root: string,
  unused: ReadonlySet<string>,
  reader: StoreReader,
): Generator<FoundModel, undefined> {
  for (const name of unused) {
    const isPartial = name.endsWith(".incomplete");
    const sha256 = name.replace(/\.incomplete$/, "");
    if (!HEX.test(sha256)) continue;
    const path = join(root, "blobs", "sha256", name);
    const short = `sha256:${sha256.slice(0, 12)}`;
    const found = {
      kind: "model",
      store: "docker",
      storePath: root,
      name: short,
      modelId: short,
      origin: LOCAL,
    } as const;
    yield isPartial
      ? {
          ...found,
          state: "partial",
          reason: "its download has not ended",
          files: [reader.partialFile(path)],
        }
      : {
          ...found,
          state: "detached",
          reason: "no model names it",
          files: [reader.file(path, "other", sha256)],
        };
  }
}
