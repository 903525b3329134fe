import type { FileOnDisk } from "./file-on-disk.ts";
import type { HeldFile, HeldModel } from "./inventory.ts";
import { whyNotOurs } from "./written-by-us.ts";

/** A file that goes when certain models do. */
export interface GoingFile {
  readonly held: HeldFile;
  /** The models that have it: when all of them let go of it, and not before, it can go. */
  readonly holders: readonly string[];
  /** What that frees: nothing as long as the content has another name. */
  readonly freedBytes: number;
}

/**
 * Who has which file, so that models can be let go one after the other. A file goes with the last model that has it,
 * and its space is free with the last name of its content; files that we have not written never go.
 */
export class Holdings {
  readonly #models = new Map<string, HeldModel>();
  readonly #holders = new Map<string, { all: string[]; left: Set<string> }>();
  readonly #namesLeft = new Map<string, number>();

  /** @param models all that have files here, also those that stay. */
  constructor(models: Iterable<HeldModel>) {
    for (const held of models) {
      const { modelId } = held.model;
      this.#models.set(modelId, held);
      for (const { onDisk } of held.files) {
        if (onDisk === undefined) continue;
        const holders = this.#holders.get(onDisk.realPath) ?? { all: [], left: new Set() };
        this.#holders.set(onDisk.realPath, holders);
        if (!holders.left.has(modelId)) holders.all.push(modelId);
        holders.left.add(modelId);
        this.#namesLeft.set(onDisk.contentId, onDisk.names);
      }
    }
  }

  /** What would be free if every model went: contents all of whose names are files of ours. */
  get oursBytes(): number {
    const ours = new Map<string, { names: Set<string>; onDisk: FileOnDisk }>();
    for (const held of [...this.#models.values()].flatMap(({ files }) => files)) {
      const { onDisk } = held;
      if (onDisk === undefined || whyNotOurs(held) !== undefined) continue;
      const content = ours.get(onDisk.contentId) ?? { names: new Set(), onDisk };
      ours.set(onDisk.contentId, content);
      content.names.add(onDisk.realPath);
    }
    const free = [...ours.values()].filter(({ names, onDisk }) => names.size === onDisk.names);
    return free.reduce((sum, { onDisk }) => sum + onDisk.usedBytes, 0);
  }

  /** Lets go of a model. @returns what goes with it. */
  letGo(modelId: string): GoingFile[] {
    const going: GoingFile[] = [];
    for (const held of this.#models.get(modelId)?.files ?? []) {
      const { onDisk } = held;
      if (onDisk === undefined) continue;
      const holders = this.#holders.get(onDisk.realPath)!;
      const wasLast = holders.left.delete(modelId) && holders.left.size === 0;
      if (!wasLast || whyNotOurs(held) !== undefined) continue;
      const names = this.#namesLeft.get(onDisk.contentId)! - 1;
      this.#namesLeft.set(onDisk.contentId, names);
      going.push({ held, holders: holders.all, freedBytes: names === 0 ? onDisk.usedBytes : 0 });
    }
    return going;
  }
}
