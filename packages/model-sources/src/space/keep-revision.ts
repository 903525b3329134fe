import { link, mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";

import type { ModelFile, NewModelFile, Registry } from "@cortex/model-db";

import type { ModelsFolder } from "../folders/models-folder.ts";
import { folderOf, placeInFolder } from "../folders/place-in-folder.ts";
import type { RemoteModel } from "../hub/remote-model.ts";
import { parseReference } from "../reference/model-reference.ts";
import { pullNames } from "../transfers/pull-names.ts";
import { toSourceMetadata } from "../transfers/pulled-from.ts";
import type { RevisionCheck } from "./check-revisions.ts";
import { heldModel } from "./inventory.ts";
import { pathInRepository } from "./path-in-repository.ts";
import { whyNotOurs } from "./written-by-us.ts";

/**
 * Keeps what a model is now as a model of its own while a newer revision is fetched in its place, named as if its
 * commit had been pulled: `org:repo@<commit>:file.gguf`. Its files are hard links, which take no space until the
 * newer ones are here; then it is superseded.
 *
 * @returns its id; `undefined` where it cannot be kept: its files are not ours, or the disk has no hard links.
 */
export async function keepRevision(
  registry: Registry,
  folders: readonly ModelsFolder[],
  { model, from, reference }: RevisionCheck,
): Promise<string | undefined> {
  const recorded = await registry.files.list(model.modelId);
  const { files: held } = await heldModel(model, recorded, registry.location, folders);
  // Without what old programs write anew.
  const kept = held.filter(({ file }) => file.sha256 !== null);
  const names = namesOf(recorded, from, reference);
  if (names === undefined || kept.some((one) => whyNotOurs(one) !== undefined)) return undefined;
  const links: { from: string; folder: ModelsFolder; to: string }[] = [];
  for (const { path } of kept) {
    const place = await folderOf(folders, path);
    if (!place?.relativePath.startsWith(`${names.now}/`)) return undefined;
    const to = `${names.kept}${place.relativePath.slice(names.now.length)}`;
    links.push({ from: path, folder: place.folder, to: await placeInFolder(place.folder, to) });
  }
  if ((await registry.models.find(names.modelId)) !== undefined) return names.modelId;
  const files: NewModelFile[] = kept.map(({ file }, index) => ({ ...file, path: links[index]!.to }));
  const { alias: _alias, aliases: _aliases, ...fields } = model;
  const { status: _status, rowVersion: _version, rowChecksum: _checksum, ...rest } = fields;
  await registry.models.create({
    ...rest,
    modelId: names.modelId,
    alias: null,
    branch: from.commitId,
    configPath: null,
    // Until its files are there.
    availability: "downloadable",
    pinned: false,
    metadata: {
      ...model.metadata,
      ...toSourceMetadata({ ...from, reference: names.reference }),
      superseded_by: model.modelId,
    },
    files,
  });
  if (await linkAll(links)) {
    await registry.models.update(names.modelId, { availability: "present" });
    return names.modelId;
  }
  await registry.models.delete(names.modelId);
  return undefined;
}

interface KeptNames {
  readonly modelId: string;
  readonly reference: string;
  /** Where the model's files are in a models folder, and where they are kept. */
  readonly now: string;
  readonly kept: string;
}

function namesOf(
  files: readonly ModelFile[],
  { repository, branch, commitId }: RevisionCheck["from"],
  reference: string,
): KeptNames | undefined {
  const weights = files.find(({ role }) => role === "weights");
  const path = weights && pathInRepository(weights, commitId);
  if (path === undefined || repository === null || branch === null || commitId === null) return undefined;
  const parsed = parseReference(reference);
  if (parsed.kind === "file") return undefined;
  const file = { path, sizeBytes: 0, sha256: null, gitSha1: null, url: "", etag: null };
  const remote: RemoteModel = {
    sourceType: parsed.sourceType,
    repo: repository,
    branch,
    commit: commitId,
    files: [],
  };
  const chosen = [{ file, role: "weights" }] as const;
  const now = pullNames(parsed, remote, chosen);
  const { modelId, folder } = pullNames(parsed, { ...remote, branch: commitId }, chosen);
  return {
    modelId,
    reference: reference.replace(/[@:][^@:]*$/, `@${commitId}`),
    now: now.folder,
    kept: folder,
  };
}

/** Links files to further names, all or none. */
async function linkAll(links: readonly { from: string; to: string }[]): Promise<boolean> {
  const made: string[] = [];
  for (const { from, to } of links) {
    try {
      await mkdir(dirname(to), { recursive: true });
      await link(from, to);
      made.push(to);
    } catch {
      await Promise.all(made.map((path) => rm(path)));
      return false;
    }
  }
  return true;
}
