import { withoutLabel } from "./quantization.ts";

/** Files of one folder that are one model together. */
export interface FileGroup {
  /** In the order of the parts. */
  readonly weights: readonly string[];
  /** Parts of a model that was split which are not there: their numbers. */
  readonly missingParts: readonly number[];
}

/** What the files of one folder are, by their names. */
export interface GroupedFiles {
  readonly groups: readonly FileGroup[];
  /** Whether all groups are one model, in one or several quantizations. */
  readonly isOneModel: boolean;
  /** Projectors: what makes a model see that lies beside them. */
  readonly projectors: readonly string[];
}

// As llama.cpp names the parts (`llama_split_path`).
const PART = /^(.+)-(\d{5})-of-(\d{5})\.gguf$/i;
const PROJECTOR = /mmproj/i;
const SIDE_FILE = /^(?:imatrix|ggml-vocab-)/i;
const MAX_PARTS = 1000;

/**
 * Puts the GGUF files of a folder together: the parts of one model are one group.
 *
 * @param names of the files in one folder.
 */
export function groupGgufFiles(names: readonly string[]): GroupedFiles {
  const parts = new Map<string, { count: number; byNumber: Map<number, string> }>();
  const groups: FileGroup[] = [];
  const projectors: string[] = [];
  for (const name of names) {
    if (!name.toLowerCase().endsWith(".gguf") || SIDE_FILE.test(name)) continue;
    if (PROJECTOR.test(name)) {
      projectors.push(name);
      continue;
    }
    const part = parsePart(name);
    if (part === undefined) {
      groups.push({ weights: [name], missingParts: [] });
      continue;
    }
    const key = `${part.stem}/${part.count}`;
    const known = parts.get(key) ?? { count: part.count, byNumber: new Map<number, string>() };
    known.byNumber.set(part.number, name);
    parts.set(key, known);
  }
  for (const { count, byNumber } of parts.values()) {
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    groups.push({
      weights: numbers.flatMap((number) => byNumber.get(number) ?? []),
      missingParts: numbers.filter((number) => !byNumber.has(number)),
    });
  }
  groups.sort((a, b) => (a.weights[0]! < b.weights[0]! ? -1 : 1));
  const stems = new Set(groups.map(({ weights }) => stemOf(weights[0]!).toLowerCase()));
  return { groups, projectors, isOneModel: stems.size === 1 };
}

/** What a file is called without its extension, its number as a part, and its quantization. */
export function stemOf(name: string): string {
  const stem = parsePart(name)?.stem ?? name.replace(/\.(?:gguf|safetensors)$/i, "");
  return withoutLabel(stem);
}

/** Which part of a model a file is by its name, from 1; `undefined` where it is none. */
function parsePart(
  name: string,
): { readonly stem: string; readonly number: number; readonly count: number } | undefined {
  const [, stem, number, count] = PART.exec(name) ?? [];
  if (stem === undefined) return undefined;
  const part = { stem, number: Number(number), count: Number(count) };
  const isSound = part.number >= 1 && part.number <= part.count && part.count <= MAX_PARTS;
  return isSound ? part : undefined;
}
