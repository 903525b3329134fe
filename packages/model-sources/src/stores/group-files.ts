import { posix } from "node:path";

import { groupGgufFiles } from "../facts/group-files.ts";
import type { FoundFile, FoundState } from "./found-model.ts";
import { isGguf, nameOfPartial, partOf, roleOf } from "./model-files.ts";

/** A file, and what it is called inside its store. */
export interface NamedFile {
  /** With `/` between its parts. */
  readonly name: string;
  readonly file: FoundFile;
}

/** Files that are one model. */
export interface StoredGroup {
  /** The name of its weights, of the first part where there are several; of its folder, where the folder is the model. */
  readonly name: string;
  readonly state: Extract<FoundState, "whole" | "partial" | "broken">;
  readonly reason: string | null;
  readonly files: readonly FoundFile[];
}

/**
 * Puts together what is one model: the parts of a split GGUF file and the projectors beside it, or above it; and the
 * files of a model of many files, which a `config.json` beside the weights gives away.
 *
 * @param files of one folder, or of a folder with all below it.
 */
export function groupFiles(files: readonly NamedFile[]): StoredGroup[] {
  const folders = Map.groupBy(files, ({ name }) => posix.dirname(name));
  const projectors = new Map<string, readonly NamedFile[]>();
  const groups: StoredGroup[] = [];
  for (const [folder, inside] of folders) {
    const byName = new Map(inside.map((one) => [posix.basename(one.name), one]));
    const gguf = groupGgufFiles([...byName.keys()]);
    projectors.set(
      folder,
      gguf.projectors.map((name) => byName.get(name)!),
    );
    for (const { weights, missingParts } of gguf.groups) {
      const parts = weights.map((name) => byName.get(name)!);
      groups.push(toGroup(parts[0]!.name, [...parts, ...nearest(folder, projectors)], missingParts.length));
    }
    groups.push(...groupOthers(folder, inside), ...unfinished(inside));
  }
  return groups;
}

function groupOthers(folder: string, inside: readonly NamedFile[]): StoredGroup[] {
  const weights = inside.filter(({ name }) => !isGguf(name) && roleIn(name) === "weights");
  if (weights.length === 0) return [];
  if (inside.some(({ name }) => /^(?:config|.*\.index)\.json$/.test(posix.basename(name)))) {
    const beside = inside.filter(({ name }) => !isGguf(name) && !["weights", "other"].includes(roleIn(name)));
    return [toGroup(folder, [...weights, ...beside], missingOf(weights))];
  }
  // Without a configuration only one kind of file says what it is.
  const alone = weights.filter(({ name }) => /\.safetensors$/i.test(name));
  const sets = Map.groupBy(alone, ({ name }) => partOf(name)?.whole ?? name);
  return [...sets.values()].map((parts) => toGroup(parts[0]!.name, parts, missingOf(parts)));
}

/** The projectors in a folder, else in the nearest one above it. */
function nearest(
  folder: string,
  projectors: ReadonlyMap<string, readonly NamedFile[]>,
): readonly NamedFile[] {
  for (let at = folder; ; at = posix.dirname(at)) {
    const found = projectors.get(at) ?? [];
    if (found.length > 0 || at === "." || at === "/") return found;
  }
}

function toGroup(name: string, members: readonly NamedFile[], missing: number): StoredGroup {
  const files = members.map((member) => ({ ...member.file, role: roleIn(member.name) }));
  const gone = files.filter(({ sizeBytes }) => sizeBytes === null).length;
  const empty = files.some(({ role, sizeBytes }) => role === "weights" && sizeBytes === 0);
  if (gone > 0)
    return { name, state: "broken", reason: `${gone} of its ${files.length} files are not there`, files };
  if (empty) return { name, state: "broken", reason: "its weights are an empty file", files };
  if (missing > 0) return { name, state: "partial", reason: `${missing} of its parts are missing`, files };
  return { name, state: "whole", reason: null, files };
}

function missingOf(weights: readonly NamedFile[]): number {
  const parts = weights.flatMap(({ name }) => partOf(name) ?? []);
  const sets = Map.groupBy(parts, ({ whole, count }) => `${whole}/${count}`);
  let missing = 0;
  for (const [, set] of sets) missing += set[0]!.count - new Set(set.map(({ number }) => number)).size;
  return Math.max(0, missing);
}

// A download that has not ended is shown until the file itself is there.
function unfinished(inside: readonly NamedFile[]): StoredGroup[] {
  const names = new Set(inside.map(({ name }) => name));
  return inside.flatMap(({ name, file }) => {
    const whole = nameOfPartial(name);
    if (whole === undefined || names.has(whole)) return [];
    const files = [{ ...file, role: "other" as const }];
    return [{ name: whole, state: "partial" as const, reason: "its download has not ended", files }];
  });
}

function roleIn(name: string): FoundFile["role"] {
  return roleOf(posix.basename(name));
}
