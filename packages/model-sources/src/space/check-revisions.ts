import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import { isRegistryError, type Model, type ModelFile, type Repositories } from "@cortex/model-db";

import { everyModel, type ModelWithFiles } from "../every-model.ts";
import type { Hub } from "../hub/hub.ts";
import type { RemoteFile, RemoteModel } from "../hub/remote-model.ts";
import { recordedPath } from "../recorded-path.ts";
import { pulledFrom, type PulledFrom } from "../transfers/pulled-from.ts";
import { pathInRepository } from "./path-in-repository.ts";

/** Whether the source of a model has something newer. */
export interface RevisionCheck {
  readonly model: Model;
  readonly from: PulledFrom;
  /** `outdated`: files of the model are others by now; `unknown`: the source does not say. */
  readonly state: "current" | "outdated" | "unknown";
  /** Why it is not known, as a sentence without its point; empty where it is. */
  readonly why: string;
  /** What the branch is now; `null` where that is not known. */
  readonly commitId: string | null;
  /** The files that are others now, as the source calls them. */
  readonly changed: readonly string[];
  /** How large those are now. */
  readonly changedBytes: number;
  /** What a pull is asked for by that fetches them. */
  readonly reference: string;
}

const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Asks the sources of pulled models whether the branches that they came from have moved on, and whether that changes
 * any of their files. A model of one exact commit is left out, since it always stays what it is, and so is one in
 * whose place a newer revision has come. Each repository is asked once.
 *
 * @param names ids or aliases; every pulled model that is here when left out.
 * @param location of the registry's file.
 * @throws RegistryError `model_not_found`; the signal's reason.
 */
export async function* checkRevisions(
  repositories: Pick<Repositories, "models" | "files">,
  location: string,
  hub: Pick<Hub, "resolve">,
  names?: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<RevisionCheck, undefined> {
  const asked = new Map<string, Promise<RemoteModel>>();
  for await (const { model, files } of chosen(repositories, names)) {
    const from = pulledFrom(model);
    if (from === undefined || isFixed(from)) continue;
    const { repository, branch } = from;
    const reference = referenceOf(model, from, files);
    if (repository === null || branch === null) {
      yield unknown(model, from, reference, "a file of a URL has no revisions");
      continue;
    }
    const key = `${repository}@${branch}`;
    const remote =
      asked.get(key) ??
      hub.resolve(
        {
          kind: "repository",
          sourceType: sourceOf(model),
          repo: repository,
          revision: branch,
          quantization: null,
          file: null,
        },
        signal,
      );
    asked.set(key, remote);
    try {
      yield await compare(model, from, reference, files, await remote, location);
    } catch (error) {
      if (!isRegistryError(error)) throw error;
      yield unknown(model, from, reference, error.message.replace(/\.$/, ""));
    }
  }
}

async function* chosen(
  repositories: Pick<Repositories, "models" | "files">,
  names: readonly string[] | undefined,
): AsyncGenerator<ModelWithFiles, undefined> {
  if (names === undefined) {
    for await (const one of everyModel(repositories)) if (isHere(one.model)) yield one;
    return;
  }
  for (const name of names) {
    const model = await repositories.models.resolve(name);
    yield { model, files: await repositories.files.list(model.modelId) };
  }
}

function isHere({ availability }: Model): boolean {
  return availability === "present" || availability === "partial";
}

function isFixed({ branch }: PulledFrom): boolean {
  return branch !== null && COMMIT.test(branch);
}

function sourceOf({ sourceType }: Model): "huggingface" | "cortex.so" {
  return sourceType === "cortex.so" ? "cortex.so" : "huggingface";
}

/** What names exactly this model of its repository: by its file, where it is one of several. */
function referenceOf(
  { modelId, sourceType }: Model,
  { reference, repository, branch, commitId }: PulledFrom,
  files: readonly ModelFile[],
): string {
  if (repository === null || branch === null) return reference;
  const name = repository.slice(repository.indexOf("/") + 1);
  if (sourceType === "cortex.so" && modelId === `${name}:${branch}`) return `${repository}:${branch}`;
  const first = files.find(({ role }) => role === "weights");
  const path = first && pathInRepository(first, commitId);
  return path === undefined || !/\.gguf$/i.test(path)
    ? `${repository}@${branch}`
    : `${repository}/${path}@${branch}`;
}

async function compare(
  model: Model,
  from: PulledFrom,
  reference: string,
  files: readonly ModelFile[],
  remote: RemoteModel,
  location: string,
): Promise<RevisionCheck> {
  const changed: RemoteFile[] = [];
  if (remote.commit !== from.commitId) {
    const offered = new Map(remote.files.map((file) => [file.path, file]));
    for (const file of files) {
      const now = offered.get(pathInRepository(file, from.commitId) ?? "");
      if (now !== undefined && (await isChanged(file, now, location))) changed.push(now);
    }
  }
  return {
    model,
    from,
    state: changed.length > 0 ? "outdated" : "current",
    why: "",
    commitId: remote.commit,
    changed: changed.map(({ path }) => path),
    changedBytes: changed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    reference,
  };
}

async function isChanged(
  { path, sizeBytes, sha256 }: ModelFile,
  now: RemoteFile,
  location: string,
): Promise<boolean> {
  // Nothing is recorded of what old programs change.
  if (sha256 === null) return false;
  if (sizeBytes !== now.sizeBytes) return true;
  if (now.sha256 !== null) return now.sha256 !== sha256;
  // A small file, of which the source says only what git calls its content.
  const content = await readFile(recordedPath(location, path)).catch(() => undefined);
  if (content === undefined || createHash("sha256").update(content).digest("hex") !== sha256) return false;
  return createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex") !== now.gitSha1;
}

function unknown(model: Model, from: PulledFrom, reference: string, why: string): RevisionCheck {
  return { model, from, state: "unknown", why, commitId: null, changed: [], changedBytes: 0, reference };
}
