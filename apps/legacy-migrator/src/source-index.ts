import { entryProblem } from "./entry-problem.ts";
import { GrowingArray } from "./growing-array.ts";
import { canonicalId } from "./legacy/canonical-id.ts";
import type { LegacyEntry, LegacyRefusal, LegacyStore } from "./legacy/legacy-entry.ts";
import { NameTable } from "./name-table.ts";

/** One model of the old stores: a number by which its record is found again. */
export interface IndexedEntry {
  readonly kind: "entry";
  readonly number: number;
  readonly entry: LegacyEntry;
}

const BYTES_PER_LINE = 200;

/**
 * Which name means which record in all old stores together, where several records are the same model,
 * and where each is to be found again: some 50 bytes for each record, whatever is in it.
 *
 * The stores come in the order of their authority. The first record of an id leads: it becomes the
 * model, and later ones of the same id are merged into it. An id wins over an alias, and the first alias
 * over later ones.
 */
export class SourceIndex {
  readonly #stores: readonly LegacyStore[];
  /** The number at which each store's records begin. */
  readonly #begins: number[] = [];
  readonly #positions = new GrowingArray();
  readonly #lines = new GrowingArray();
  /** Of each record the one that leads it: itself, mostly. */
  readonly #leaders = new GrowingArray();
  readonly #followers = new Map<number, number[]>();
  readonly #ids: NameTable;
  readonly #aliases: NameTable;

  /**
   * Reads all stores once.
   *
   * @param onStep is called now and then, for progress; it may throw to stop.
   */
  constructor(stores: readonly LegacyStore[], onStep: (store: LegacyStore) => void = () => undefined) {
    this.#stores = stores;
    const expected = stores.reduce(
      (sum, { total, unit }) => sum + (unit === "rows" ? total : Math.ceil(total / BYTES_PER_LINE)),
      0,
    );
    this.#ids = new NameTable(expected);
    this.#aliases = new NameTable(expected);
    for (const store of stores) {
      this.#begins.push(this.#positions.length);
      let seen = 0;
      for (const item of store.scan()) {
        if (++seen % 4096 === 0) onStep(store);
        if (item.kind === "entry" && entryProblem(item) === undefined) this.#add(item);
      }
      onStep(store);
    }
  }

  /** How many records there are that can become models. */
  get size(): number {
    return this.#positions.length;
  }

  /** Every line and row again, with the numbers of the first reading. */
  *scan(): Generator<IndexedEntry | LegacyRefusal> {
    let number = 0;
    for (const store of this.#stores) {
      for (const item of store.scan()) {
        if (item.kind === "refusal") {
          yield item;
          continue;
        }
        const problem = entryProblem(item);
        if (problem === undefined) yield { kind: "entry", number: number++, entry: item };
        else yield { kind: "refusal", store: item.store, line: item.line, text: textOf(item), ...problem };
      }
    }
  }

  entryAt(number: number): LegacyEntry {
    return { ...this.#recordAt(number), line: this.#lines.at(number) };
  }

  storeOf(number: number): LegacyStore {
    let store = this.#begins.length - 1;
    while (this.#begins[store]! > number) store--;
    return this.#stores[store]!;
  }

  /** The record whose model this record is: its own number, mostly. */
  leaderOf(number: number): number {
    return this.#leaders.at(number);
  }

  /** The later records of the same model. */
  followersOf(number: number): readonly number[] {
    return this.#followers.get(number) ?? [];
  }

  /** The id of the model that a name means in the old stores, unless it is the one led by `self`. */
  ownerOf(name: string, self: number): string | undefined {
    const canonical = canonicalId(name);
    const byId = this.#ids.find(
      canonical,
      (number) => number === self || canonicalId(this.#recordAt(number).modelId) === canonical,
    );
    if (byId !== -1) return byId === self ? undefined : this.entryAt(byId).modelId;
    const byAlias = this.#aliases.find(
      name,
      (number) => number === self || this.#recordAt(number).alias === name,
    );
    if (byAlias === -1) return undefined;
    const leader = this.leaderOf(byAlias);
    return leader === self ? undefined : this.entryAt(leader).modelId;
  }

  // Without its line, which the store cannot know.
  #recordAt(number: number): LegacyEntry {
    return this.storeOf(number).entryAt(this.#positions.at(number));
  }

  #add(entry: LegacyEntry): void {
    const number = this.#positions.length;
    this.#positions.push(entry.position);
    this.#lines.push(entry.line);
    const canonical = canonicalId(entry.modelId);
    const leader = this.#ids.find(
      canonical,
      (other) => canonicalId(this.#recordAt(other).modelId) === canonical,
    );
    this.#leaders.push(leader === -1 ? number : leader);
    if (leader === -1) {
      this.#ids.add(canonical, number);
    } else {
      const others = this.#followers.get(leader);
      if (others === undefined) this.#followers.set(leader, [number]);
      else others.push(number);
    }
    const { alias } = entry;
    if (alias === null || alias === "" || alias === entry.modelId) return;
    if (this.#aliases.find(alias, (other) => this.#recordAt(other).alias === alias) === -1) {
      this.#aliases.add(alias, number);
    }
  }
}

/** A record as one line of text, for those that are refused. */
export function textOf(entry: LegacyEntry): string {
  const { modelId, author, branch, configPath, alias, status } = entry;
  return [modelId, author, branch, configPath, alias, status].map((field) => field ?? "").join(" ");
}
