import { basename, dirname, join, posix, resolve } from "node:path";

import type { FileRole } from "@cortex/model-db";

import type { FoundFile, FoundModel, Found, StoreName } from "./found-model.ts";
import { groupFiles, type StoredGroup, type NamedFile } from "./group-files.ts";
import { isGguf, roleOf } from "./model-files.ts";
import type { Entry, StoreReader } from "./store-reader.ts";
import type { Store } from "./store.ts";

const REPOSITORY = /^models--(.+)$/;
const COMMIT = /^[0-9a-f]{40}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/**
 * The cache that all programs of Hugging Face share (huggingface_hub, "Understand caching"): a folder for each
 * repository with `refs/<branch>`, `snapshots/<commit>/<path>` and `blobs/<etag>`, where a snapshot is links to blobs,
 * and a blob of a large file is called by the SHA-256 of its content. Without links, as on Windows, the snapshot holds
 * the files.
 */
export const huggingFaceCache: Store = {
  name: "huggingface",
  places: ({ env, home }) => [
    env["HF_HUB_CACHE"] ||
      env["HUGGINGFACE_HUB_CACHE"] ||
      (env["HF_HOME"] && join(env["HF_HOME"], "hub")) ||
      join(env["XDG_CACHE_HOME"] || join(home, ".cache"), "huggingface", "hub"),
  ],
  isLaidOutIn: (root, reader) => reader.list(root).some(({ name }) => REPOSITORY.test(name)),
  read: (root, reader) => readHuggingFaceCache(root, reader, "huggingface"),
};

/** Reads a cache of this layout, which other tools keep too. @param store whose it is. */
export async function* readHuggingFaceCache(
  root: string,
  reader: StoreReader,
  store: StoreName,
): AsyncGenerator<Found, undefined> {
  for (const { name } of reader.list(root)) {
    const [, parts] = REPOSITORY.exec(name) ?? [];
    if (parts === undefined) continue;
    await reader.rest();
    const [first = "", ...rest] = parts.split("--");
    const repo = rest.length === 0 ? first : `${first}/${rest.join("--")}`;
    const folder = join(root, name);
    for await (const found of readRepository(folder, repo, reader))
      yield { ...found, store, storePath: root };
    yield* reader.takeFindings();
  }
}

type FoundHere = Omit<FoundModel, "store" | "storePath">;

async function* readRepository(
  folder: string,
  repo: string,
  reader: StoreReader,
): AsyncGenerator<FoundHere, undefined> {
  const blobs = new Blobs(join(folder, "blobs"), reader);
  const branches = await readRefs(join(folder, "refs"), reader);
  const snapshots = reader.list(join(folder, "snapshots")).filter(({ name }) => COMMIT.test(name));
  // What a branch leads to comes first: the same files of an older commit are then no model of their own.
  const inTurn = snapshots
    .map(({ name }) => ({ commit: name, branch: branchOf(name, branches) }))
    .toSorted((one, other) => rank(one.branch) - rank(other.branch));
  const seen = new Set<string>();
  for (const { commit, branch } of inTurn) {
    const files = await readSnapshot(join(folder, "snapshots", commit), blobs, reader);
    for (const group of groupFiles(files).map((one) => blobs.stillFetched(one))) {
      const content = JSON.stringify([group.name, group.files.map(({ identity, path }) => identity ?? path)]);
      if (seen.has(content)) continue;
      seen.add(content);
      yield toModel(group, repo, branch, commit);
    }
  }
  yield* blobs.leftOver(repo);
}

function toModel(group: StoredGroup, repo: string, branch: string | undefined, commit: string): FoundHere {
  const { name, files } = group;
  const isFolder = !isGguf(name);
  const inside = isFolder && name === "." ? "" : `/${name}`;
  const revision = branch ?? commit.slice(0, 12);
  const isDetached = group.state === "whole" && branch === undefined;
  return {
    kind: "model",
    name: `${repo}${revision === "main" ? "" : `@${revision}`}${inside}`,
    modelId: huggingFaceId(repo, name, revision),
    state: isDetached ? "detached" : group.state,
    reason: isDetached ? "no branch leads to its snapshot" : group.reason,
    files,
    origin: { sourceType: "huggingface", authorRepo: repo, branch: branch ?? commit, commit },
  };
}

/** The id that it would have if it were pulled. */
function huggingFaceId(repo: string, file: string, revision: string): string {
  const named = revision === "main" ? repo : `${repo}@${encodeURIComponent(revision)}`;
  const id = named.replace("/", ":");
  return isGguf(file) ? `${id}:${file}` : id;
}

function branchOf(commit: string, branches: ReadonlyMap<string, string>): string | undefined {
  if (branches.get("main") === commit) return "main";
  for (const [branch, at] of branches) if (at === commit) return branch;
  return undefined;
}

function rank(branch: string | undefined): number {
  if (branch === "main") return 0;
  return branch === undefined ? 2 : 1;
}

/** The commit of each branch; the name of a branch may have slashes. */
async function readRefs(folder: string, reader: StoreReader): Promise<Map<string, string>> {
  const branches = new Map<string, string>();
  for await (const { entries } of reader.walk(folder)) {
    for (const { path, relativePath } of entries) {
      const commit = reader.text(path)?.trim();
      if (commit === undefined) continue;
      if (COMMIT.test(commit)) branches.set(relativePath, commit);
      else reader.note(path, "names no commit");
    }
  }
  return branches;
}

async function readSnapshot(folder: string, blobs: Blobs, reader: StoreReader): Promise<NamedFile[]> {
  const files: NamedFile[] = [];
  for await (const { entries } of reader.walk(folder)) {
    for (const entry of entries) {
      const role = roleOf(posix.basename(entry.relativePath));
      const file = blobs.fileOf(entry, role);
      if (file !== undefined) files.push({ name: entry.relativePath, file });
    }
  }
  return files;
}

/** The contents of one repository, and which of them nobody has asked for. */
class Blobs {
  readonly #folder: string;
  readonly #reader: StoreReader;
  readonly #unused: Set<string>;
  readonly #fetched = new Set<string>();

  constructor(folder: string, reader: StoreReader) {
    this.#folder = folder;
    this.#reader = reader;
    this.#unused = new Set(reader.list(folder).map(({ name }) => name));
  }

  /** The file behind a name in a snapshot; `undefined` where it is of no use to a model. */
  fileOf({ path, isLink }: Entry, role: FileRole): FoundFile | undefined {
    const target = isLink ? this.#reader.link(path) : undefined;
    const blob = target === undefined ? undefined : resolve(dirname(path), target);
    // Any other name says nothing of the content.
    const etag = blob !== undefined && dirname(blob) === this.#folder ? basename(blob) : "";
    this.#unused.delete(etag);
    if (role === "other") return undefined;
    const file = this.#reader.file(path, role, SHA256.test(etag) ? etag : null);
    const download = file.sizeBytes === null && etag !== "" ? this.#downloadOf(etag) : undefined;
    if (download === undefined) return file;
    this.#unused.delete(download);
    this.#fetched.add(path);
    return file;
  }

  /** A model whose missing files are all being downloaded is not broken. */
  stillFetched(group: StoredGroup): StoredGroup {
    const gone = group.files.filter(({ sizeBytes }) => sizeBytes === null);
    if (gone.length === 0 || !gone.every(({ path }) => this.#fetched.has(path))) return group;
    return { ...group, state: "partial", reason: "its download has not ended" };
  }

  #downloadOf(etag: string): string | undefined {
    return [...this.#unused].find((name) => name.startsWith(`${etag}.`) && isIncomplete(name));
  }

  /** Downloads that have not ended, and contents that no snapshot leads to. */
  *leftOver(repo: string): Generator<FoundHere, undefined> {
    const partial = [...this.#unused].filter(isIncomplete);
    const unused = [...this.#unused].filter((name) => !isIncomplete(name));
    const model = (state: "partial" | "detached", reason: string, files: FoundFile[]): FoundHere => ({
      kind: "model",
      name: repo,
      modelId: repo.replace("/", ":"),
      state,
      reason,
      files,
      origin: { sourceType: "huggingface", authorRepo: repo, branch: null, commit: null },
    });
    if (partial.length > 0) {
      const files = partial.map((name) => this.#reader.partialFile(join(this.#folder, name)));
      yield model("partial", "a download has not ended", files);
    }
    if (unused.length > 0) {
      const files = unused.map((name) =>
        this.#reader.file(join(this.#folder, name), "other", SHA256.test(name) ? name : null),
      );
      yield model("detached", "no snapshot leads to these files", files);
    }
  }
}

function isIncomplete(name: string): boolean {
  return name.endsWith(".incomplete");
}
