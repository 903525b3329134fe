import { stat } from "node:fs/promises";
import { resolve } from "node:path";

import type { Model, NewTransfer, Repositories, Transfer } from "@cortex/model-db";

import { chooseFolder } from "../folders/choose-folder.ts";
import type { ModelsFolder } from "../folders/models-folder.ts";
import { folderOf } from "../folders/place-in-folder.ts";
import type { Hub } from "../hub/hub.ts";
import { chooseFiles, type AskWhich } from "../reference/choose-files.ts";
import { parseReference } from "../reference/model-reference.ts";
import { safePath } from "../safe-path.ts";
import { pullNames } from "./pull-names.ts";
import { pulledFrom } from "./pulled-from.ts";

/** What planning needs of a registry: also a registry as one caller may use it. */
export type PullRegistry = Pick<Repositories, "models" | "files" | "transfers">;

export interface PullOptions {
  readonly hub: Hub;
  /** As `modelFolders` gives them. */
  readonly folders: readonly ModelsFolder[];
  /** Which of several models of a repository is wanted. */
  readonly ask?: AskWhich | undefined;
  /** What the model is to be called. */
  readonly alias?: string | undefined;
  /** Only its owner and administrators are to see it. */
  readonly private?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a pull comes to: a transfer to ask for or, where nothing is to be fetched, the model. */
export type PullPlan =
  | { readonly kind: "fetch"; readonly transfer: NewTransfer }
  | { readonly kind: "here"; readonly model: Model };

/**
 * Finds out what a reference means now, and what would have to be fetched to which place. Nothing is written.
 *
 * @param reference as `parseReference` reads it.
 * @throws RegistryError as `parseReference`, `hub.resolve`, `chooseFiles` and `chooseFolder`.
 */
export async function planPull(
  registry: PullRegistry,
  reference: string,
  options: PullOptions,
): Promise<PullPlan> {
  const { hub, ask, alias, private: isPrivate, signal } = options;
  const parsed = parseReference(reference, hub.endpoint);
  const remote = await hub.resolve(parsed, signal);
  const chosen = await chooseFiles(remote, parsed, ask);
  const names = pullNames(parsed, remote, chosen);
  const model = await registry.models.find(names.modelId);
  const files = chosen.map(({ file, role }) => ({
    ...file,
    role,
    path: safePath(`${names.folder}/${file.path}`),
  }));
  const transfer: Omit<NewTransfer, "folder"> = {
    reference,
    modelId: names.modelId,
    sourceType: remote.sourceType,
    repository: remote.repo,
    branch: remote.branch,
    commitId: remote.commit,
    files,
    alias,
    private: isPrivate,
  };
  if (model !== undefined && (await isHere(registry, model, transfer))) return { kind: "here", model };
  return {
    kind: "fetch",
    transfer: { ...transfer, folder: await folderFor(registry, model, transfer, options) },
  };
}

/** Whether what is registered is what would be fetched, as far as that shows without reading the files. */
async function isHere(
  registry: PullRegistry,
  model: Model,
  { commitId, files }: Omit<NewTransfer, "folder">,
): Promise<boolean> {
  const from = pulledFrom(model);
  if (model.availability !== "present" || from === undefined) return false;
  if (from.commitId !== (commitId ?? null)) return false;
  // What is beside the weights may have been changed by whoever runs them.
  const weights = (await registry.files.list(model.modelId)).filter(({ role }) => role === "weights");
  for (const { url, role, sizeBytes, sha256 } of files) {
    if (role !== "weights") continue;
    // What somebody else has put in its place is known by its content alone.
    const file = weights.find((known) => known.source === url || (sha256 != null && known.sha256 === sha256));
    const found = file && (await stat(resolve(file.path)).catch(() => undefined));
    if (found === undefined || found.size !== sizeBytes) return false;
  }
  return true;
}

/** Where it goes: to what is there of it already, else to the first folder with room. */
async function folderFor(
  registry: PullRegistry,
  model: Model | undefined,
  { modelId, files }: Omit<NewTransfer, "folder">,
  { folders }: PullOptions,
): Promise<string> {
  const writable = folders.filter(({ isWritable }) => isWritable).map(({ path }) => path);
  const before = await unfinishedTransfer(registry, modelId);
  if (before !== undefined && writable.includes(before.folder)) return before.folder;
  const [known] = model === undefined ? [] : await registry.files.list(model.modelId);
  const there = known && (await folderOf(folders, resolve(known.path)));
  if (there?.folder.isWritable === true) return there.folder.path;
  const neededBytes = files.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  return (await chooseFolder(folders, neededBytes)).path;
}

/** The job that fetches a model, where there is one that has not ended. */
async function unfinishedTransfer(
  { transfers }: PullRegistry,
  modelId: string,
): Promise<Transfer | undefined> {
  const state = ["queued", "running", "paused", "failed"] as const;
  const { items } = await transfers.list({ modelId, state, limit: 1 });
  return items[0];
}

/**
 * Asks for a reference to be pulled.
 *
 * @returns the job, which is joined where there is one already; or the model, where nothing is to be fetched.
 * @throws RegistryError as {@link planPull} and `transfers.request`.
 */
export async function requestPull(
  registry: PullRegistry,
  reference: string,
  options: PullOptions,
): Promise<{ transfer: Transfer; isNew: boolean } | { model: Model }> {
  const plan = await planPull(registry, reference, options);
  if (plan.kind === "here") return { model: plan.model };
  return registry.transfers.request(plan.transfer);
}
