import type { Random } from "../random.ts";
import type { PendingChange } from "./disk.ts";

/** What a power cut leaves of the changes that are not durable. */
export interface Choice {
  /** For each of them in its order: whether it reached the disk. */
  readonly kept: readonly boolean[];
  /** One of the kept writes of which only these 512-byte sectors did. */
  readonly torn?: { readonly change: number; readonly from: number; readonly to: number } | undefined;
}

export const SECTOR_BYTES = 512;

/**
 * What may be left at one moment: nothing, all, each beginning and end, each change alone and each one
 * missing, one file's changes alone, random ones, and of the last and of random writes a part; each
 * with all names, none, and some. Sampled where there are more than `most`.
 */
export function* choicesOf(
  pending: readonly PendingChange[],
  random: Random,
  most: number,
): Generator<Choice> {
  const contents = pending.flatMap(({ kind }, index) => (kind === "name" ? [] : [index]));
  const names = pending.flatMap(({ kind }, index) => (kind === "name" ? [index] : []));
  const all = new Set(pending.keys());
  const subsets = contentSubsets(pending, contents, random, most);
  // The plain ones first: they are never sampled away.
  const plain = subsets.splice(0, 4);
  const choices: Choice[] = [];
  const add = (kept: ReadonlySet<number>, torn?: Choice["torn"]): void => {
    choices.push({ kept: pending.map((_, index) => kept.has(index)), torn });
  };
  const nameSubsets = subsetsOfNames(names, random);
  for (const subset of plain) for (const some of nameSubsets) add(new Set([...subset, ...some]));
  const rest = sample(subsets, random, most);
  for (const subset of rest) {
    add(new Set([...subset, ...names]));
    if (names.length > 0) add(new Set([...subset, ...random.pick(nameSubsets)]));
  }
  for (const index of tearable(pending, contents, random)) {
    const sectors = Math.ceil(sizeOf(pending[index]!) / SECTOR_BYTES);
    const at = 1 + random.below(sectors - 1);
    const before = new Set([...all].filter((other) => other <= index || names.includes(other)));
    add(all, { change: index, from: 0, to: at });
    add(before, { change: index, from: 0, to: at });
    add(before, { change: index, from: at, to: sectors });
  }
  yield* choices.slice(0, Math.max(most, 4));
}

function contentSubsets(
  pending: readonly PendingChange[],
  contents: readonly number[],
  random: Random,
  most: number,
): number[][] {
  const subsets: number[][] = [[], [...contents]];
  if (contents.length < 2) return subsets;
  subsets.push(contents.slice(0, -1), contents.slice(-1));
  const files = new Set(contents.map((index) => fileOf(pending[index]!)));
  if (files.size > 1) {
    for (const file of files) subsets.push(contents.filter((index) => fileOf(pending[index]!) === file));
  }
  for (let length = 1; length < contents.length - 1; length++) {
    subsets.push(contents.slice(0, length), contents.slice(length));
  }
  for (const index of contents)
    subsets.push(
      [index],
      contents.filter((other) => other !== index),
    );
  for (let count = 0; count < 8 + most / 2; count++) {
    const chance = random.pick([0.1, 0.5, 0.9]);
    subsets.push(contents.filter(() => random.chance(chance)));
  }
  return subsets;
}

function subsetsOfNames(names: readonly number[], random: Random): number[][] {
  if (names.length <= 3) {
    return Array.from({ length: 2 ** names.length }, (_, bits) =>
      names.filter((__, index) => (bits >> index) % 2 === 0),
    );
  }
  const prefixes = names.map((_, length) => names.slice(0, length));
  const some = Array.from({ length: 4 }, () => names.filter(() => random.chance(0.5)));
  return [[...names], ...prefixes, ...some];
}

function tearable(
  pending: readonly PendingChange[],
  contents: readonly number[],
  random: Random,
): ReadonlySet<number> {
  const large = contents.filter((index) => sizeOf(pending[index]!) > SECTOR_BYTES);
  if (large.length === 0) return new Set();
  return new Set([large.at(-1)!, random.pick(large), random.pick(large)]);
}

function sample<T>(items: readonly T[], random: Random, most: number): readonly T[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, () => random.pick(items));
}

function sizeOf(change: PendingChange): number {
  return change.kind === "write" ? change.data.length : 0;
}

function fileOf(change: PendingChange): unknown {
  return change.kind === "name" ? undefined : change.file;
}

/** A choice as a word that {@link parseChoice} reads. */
export function formatChoice({ kept, torn }: Choice): string {
  const runs: string[] = [];
  for (let start = 0; start < kept.length; start++) {
    if (!kept[start]) continue;
    let end = start;
    while (kept[end + 1] === true) end++;
    runs.push(start === end ? `${start}` : `${start}-${end}`);
    start = end;
  }
  const tear = torn === undefined ? "" : `/${torn.change}:${torn.from}-${torn.to}`;
  return `${runs.join(",") || "none"}${tear}`;
}

/** @param length how many changes there are. */
export function parseChoice(text: string, length: number): Choice {
  const [runs = "", tear] = text.split("/");
  const kept = Array.from({ length }, () => false);
  for (const run of runs === "none" ? [] : runs.split(",")) {
    const [start = 0, end = start] = run.split("-").map(Number);
    kept.fill(true, start, end + 1);
  }
  if (tear === undefined) return { kept };
  const [change = 0, from = 0, to = 0] = tear.split(/[:-]/).map(Number);
  return { kept, torn: { change, from, to } };
}
