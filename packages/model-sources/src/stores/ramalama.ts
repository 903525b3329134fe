import { basename, dirname, join, posix } from "node:path";

import type { FileRole } from "@cortex/model-db";

import { LOCAL, type Found, type FoundFile, type FoundModel, type Origin } from "./found-model.ts";
import { asArray, asObject, asText } from "./json-value.ts";
import { roleOf } from "./model-files.ts";
import type { StoreReader } from "./store-reader.ts";
import type { Store } from "./store.ts";

const BLOB = /^sha256[:-]([0-9a-f]{64})$/;
const ROLES: Readonly<Record<string, FileRole>> = {
  gguf: "weights",
  safetensor: "weights",
  mmproj: "mmproj",
  chat_template: "template",
};

/**
 * The store of RamaLama: for each model `store/<source>/<organisation>/<name>` with `refs/<tag>.json`, which names the
 * files of a snapshot, `snapshots/<hash>/<file>`, links to `blobs/sha256-<digest>` (its `model_store/reffile.py`).
 */
export const ramaLama: Store = {
  name: "ramalama",
  places: ({ env, home }) => [
    ...(env["RAMALAMA_STORE"] ? [env["RAMALAMA_STORE"]] : []),
    join(env["XDG_DATA_HOME"] || join(home, ".local", "share"), "ramalama"),
    "/var/lib/ramalama",
  ],
  isLaidOutIn: (root, reader) => reader.isFolder(join(root, "store")),
  read: readRamaLama,
};

async function* readRamaLama(root: string, reader: StoreReader): AsyncGenerator<Found, undefined> {
  const store = join(root, "store");
  for await (const { entries } of reader.walk(store, { skip: new Set(["blobs", "snapshots"]) })) {
    const refs = entries.filter(({ relativePath }) => /(?:^|\/)refs\/[^/]+\.json$/.test(relativePath));
    const [first] = refs;
    if (first === undefined) continue;
    const model = new ModelFolder(
      root,
      dirname(dirname(first.path)),
      posix.dirname(posix.dirname(first.relativePath)),
      reader,
    );
    for (const { path } of refs) yield* model.read(path);
    yield* model.leftOver();
    yield* reader.takeFindings();
  }
  yield* reader.takeFindings();
}

class ModelFolder {
  readonly #root: string;
  readonly #folder: string;
  readonly #name: string;
  readonly #reader: StoreReader;
  readonly #unused: Set<string>;

  constructor(root: string, folder: string, name: string, reader: StoreReader) {
    this.#root = root;
    this.#folder = folder;
    this.#name = name;
    this.#reader = reader;
    this.#unused = new Set(reader.list(join(folder, "blobs")).map((entry) => entry.name));
  }

  *read(refPath: string): Generator<FoundModel, undefined> {
    const ref = asObject(this.#reader.json(refPath));
    const hash = asText(ref?.["hash"])?.replaceAll(":", "-");
    // A hash becomes a part of a path.
    if (ref === undefined || hash === undefined || basename(hash) !== hash || hash === "..") {
      this.#reader.note(refPath, "names no snapshot");
      return;
    }
    const tag = basename(refPath, ".json");
    const files: FoundFile[] = [];
    let gone = 0;
    let isPartial = false;
    for (const entry of asArray(ref["files"])) {
      const said = asObject(entry);
      const name = asText(said?.["name"]);
      const blob = asText(said?.["hash"])?.replaceAll(":", "-") ?? "";
      if (said === undefined || name === undefined || name.split("/").includes("..") || name.startsWith("/"))
        continue;
      const [, sha256 = null] = BLOB.exec(blob) ?? [];
      const role = ROLES[asText(said["type"]) ?? ""] ?? roleOf(posix.basename(name));
      const file = this.#reader.file(join(this.#folder, "snapshots", hash, name), role, sha256);
      files.push(file);
      this.#unused.delete(blob);
      if (file.sizeBytes !== null) continue;
      // Some versions call it by the snapshot.
      if ([blob, hash].some((begun) => this.#unused.delete(`${begun}.partial`))) isPartial = true;
      else gone += 1;
    }
    if (files.length === 0) return;
    const model = this.#model(`${this.#name}:${tag}`, files);
    if (gone > 0)
      yield { ...model, state: "broken", reason: `${gone} of its ${files.length} files are not there` };
    else if (isPartial) yield { ...model, state: "partial", reason: "its download has not ended" };
    else yield { ...model, state: "whole", reason: null };
  }

  *leftOver(): Generator<FoundModel, undefined> {
    for (const name of this.#unused) {
      const path = join(this.#folder, "blobs", name);
      if (name.endsWith(".partial")) {
        const files = [this.#reader.partialFile(path)];
        yield { ...this.#model(this.#name, files), state: "partial", reason: "a download has not ended" };
      } else {
        const [, sha256 = null] = BLOB.exec(name) ?? [];
        const files = [this.#reader.file(path, "other", sha256)];
        yield { ...this.#model(this.#name, files), state: "detached", reason: "no tag leads to it" };
      }
    }
  }

  #model(name: string, files: readonly FoundFile[]): Omit<FoundModel, "state" | "reason"> {
    const [source = "", ...rest] = name.split("/");
    const origin = originOf(source, rest);
    const modelId = rest.join("/");
    return { kind: "model", store: "ramalama", storePath: this.#root, name, modelId, files, origin };
  }
}

function originOf(source: string, rest: readonly string[]): Origin {
  const [organisation, repository] = rest;
  if (source !== "huggingface" || repository === undefined) return LOCAL;
  const authorRepo = `${organisation}/${repository.replace(/:[^:]*$/, "")}`;
  return { sourceType: "huggingface", authorRepo, branch: "main", commit: null };
}
