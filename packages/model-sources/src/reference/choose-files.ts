import { RegistryError, nearest, type FileRole } from "@cortex/model-db";

import type { RemoteFile, RemoteModel } from "../hub/remote-model.ts";
import { safePath } from "../safe-path.ts";
import type { ModelReference } from "./model-reference.ts";
import { quantizationIn } from "./quantization-in.ts";

/** A file to fetch, and what it is for. */
export interface ChosenFile {
  readonly file: RemoteFile;
  readonly role: FileRole;
}

/** One of several models that a repository holds. */
export interface Candidate {
  /** The path of its file, the first where it is split. */
  readonly path: string;
  /** As in its name, in capitals. */
  readonly quantization: string | null;
  /** Of all its parts, without a projector. */
  readonly sizeBytes: number;
}

/** Which of several is wanted. @returns `undefined`: the one that would be taken unasked, the first. */
export type AskWhich = (candidates: readonly Candidate[]) => Promise<Candidate | undefined>;

const PREFERRED = ["Q4_K_M", "Q8_0"];
const SHARD = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;
const SIDE_FILE = /(?:^|[/._-])(?:mmproj|imatrix)(?:[/._-]|$)/i;
const PROJECTOR = /(?:^|[/._-])mmproj(?:[/._-]|$)/i;
// What tells how to run the weights, for a model that is not one file; what unfinished files are called is ours.
const BESIDE_WEIGHTS = /^(?!.*\.partial\.json$)[^/]+\.(?:json|model|txt|jinja)$/i;
const WEIGHTS = /^[^/]+\.safetensors$/i;

interface Weights extends Candidate {
  readonly files: readonly RemoteFile[];
}

/**
 * Which files of a repository make the model that a reference names: the file itself, else the asked
 * quantization, else what `ask` says, else Q4_K_M, Q8_0, the first. A split model comes whole, a projector
 * beside it and, from cortex.so, its `model.yml` come along.
 *
 * @returns at least one with the role `weights`; their paths can be written anywhere below a folder.
 * @throws RegistryError `not_found` where there is no such file or quantization, `invalid_input` for a path
 *   that leads elsewhere.
 */
export async function chooseFiles(
  remote: RemoteModel,
  reference: ModelReference,
  ask?: AskWhich,
): Promise<ChosenFile[]> {
  const chosen = await filesOfModel(remote, reference, ask);
  for (const { file } of chosen) safePath(file.path);
  return chosen;
}

async function filesOfModel(
  remote: RemoteModel,
  reference: ModelReference,
  ask: AskWhich | undefined,
): Promise<ChosenFile[]> {
  const all = ggufWeights(remote.files);
  if (all.length === 0) return wholeRepository(remote);
  const weights = await chooseWeights(all, remote, reference, ask);
  const chosen: ChosenFile[] = weights.files.map((file) => ({ file, role: "weights" }));
  const projector = projectorFor(weights, remote.files);
  if (projector !== undefined) chosen.push({ file: projector, role: "mmproj" });
  const config = remote.files.find(({ path }) => path === "model.yml" && remote.sourceType === "cortex.so");
  if (config !== undefined) chosen.push({ file: config, role: "config" });
  return chosen;
}

async function chooseWeights(
  all: readonly Weights[],
  remote: RemoteModel,
  reference: ModelReference,
  ask: AskWhich | undefined,
): Promise<Weights> {
  const [first] = all as [Weights, ...Weights[]];
  if (reference.kind === "file") return first;
  const { file, quantization } = reference;
  if (file !== null) {
    const exact = all.find(({ files }) => files.some(({ path }) => path === file));
    if (exact !== undefined) return exact;
    throw absent(
      remote,
      file,
      all.map(({ path }) => path),
    );
  }
  if (quantization !== null) {
    const asked = quantization.toUpperCase();
    const found = all.find((weights) => weights.quantization === asked);
    if (found !== undefined) return found;
    throw absent(remote, asked, [...new Set(all.flatMap((weights) => weights.quantization ?? []))]);
  }
  const preferred = PREFERRED.map((name) => all.find((weights) => weights.quantization === name));
  const best = preferred.find((weights) => weights !== undefined) ?? first;
  if (all.length === 1 || ask === undefined) return best;
  const others = all.filter((weights) => weights !== best);
  const answer = await ask(
    [best, ...others].map(({ path, quantization: word, sizeBytes }) => ({
      path,
      quantization: word,
      sizeBytes,
    })),
  );
  return all.find(({ path }) => path === answer?.path) ?? best;
}

/** The GGUF models of a repository, those that are split as one; ordered by path. */
function ggufWeights(files: readonly RemoteFile[]): Weights[] {
  const byName = new Map<string, RemoteFile[]>();
  for (const file of files) {
    if (!/\.gguf$/i.test(file.path) || SIDE_FILE.test(file.path)) continue;
    const [, name, , count] = SHARD.exec(file.path) ?? [];
    const key = name === undefined ? file.path : `${name}/${count}`;
    byName.set(key, [...(byName.get(key) ?? []), file]);
  }
  return [...byName.values()]
    .map((parts) => parts.toSorted(byPath))
    .filter(isWhole)
    .map((parts) => ({
      files: parts,
      path: parts[0]?.path ?? "",
      quantization: quantizationIn(parts[0]?.path ?? ""),
      sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    }))
    .toSorted(byPath);
}

/** Whether every part of a split model is there. */
function isWhole(parts: readonly RemoteFile[]): boolean {
  const [, , , count] = SHARD.exec(parts[0]?.path ?? "") ?? [];
  if (count === undefined) return true;
  return (
    parts.length === Number(count) && parts.every(({ path }, at) => Number(SHARD.exec(path)?.[2]) === at + 1)
  );
}

/** The projector in the model's own folder, or above it; the one that is most like F16, which every engine reads. */
function projectorFor(weights: Weights, files: readonly RemoteFile[]): RemoteFile | undefined {
  const projectors = files
    .filter(({ path }) => PROJECTOR.test(path) && /\.gguf$/i.test(path))
    .toSorted(byPath);
  for (let folder = folderOf(weights.path); ; folder = folderOf(folder)) {
    const here = projectors.filter(({ path }) => folderOf(path) === folder);
    const best = here.find(({ path }) => quantizationIn(path) === "F16") ?? here[0];
    if (best !== undefined || folder === "") return best;
  }
}

/** Weights that are not GGUF, with all that says how to run them. */
function wholeRepository({ files, repo }: RemoteModel): ChosenFile[] {
  const weights = files.filter(({ path }) => WEIGHTS.test(path)).toSorted(byPath);
  if (weights.length === 0) {
    throw new RegistryError(
      "not_found",
      `${repo} has no GGUF file and no safetensors file. Choose a repository that holds a model.`,
    );
  }
  const beside = files.filter(({ path }) => BESIDE_WEIGHTS.test(path)).toSorted(byPath);
  return [
    ...weights.map((file): ChosenFile => ({ file, role: "weights" })),
    ...beside.map((file): ChosenFile => ({ file, role: roleOf(file.path) })),
  ];
}

function roleOf(path: string): FileRole {
  if (/jinja$|chat_template/i.test(path)) return "template";
  if (/tokenizer|vocab|merges|special_tokens|added_tokens/i.test(path)) return "tokenizer";
  return /config/i.test(path) ? "config" : "other";
}

function absent(remote: RemoteModel, asked: string, known: readonly string[]): RegistryError {
  const close = nearest(asked, known);
  const hint = close === undefined ? `It has ${known.slice(0, 12).join(", ")}.` : `Did you mean ${close}?`;
  return new RegistryError("not_found", `${remote.repo} (${remote.branch}) has no ${asked}. ${hint}`);
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function byPath(one: { readonly path: string }, other: { readonly path: string }): number {
  return one.path < other.path ? -1 : Number(one.path > other.path);
}
