import { formatRow, type ListRow } from "./list-row.ts";

/** What the file held at some time, in its order, as far as both sides agreed on it. */
export interface Base {
  readonly rows: readonly ListRow[];
  /** The newest event of the registry that is in it. */
  readonly eventId: number;
}

/**
 * Finds out which version of the file a foreign write started from. The old program reads the list, and
 * writes it some time later: what we wrote in between it has not seen, and has not taken back.
 *
 * The bases differ by our changes alone. The oldest one counts that agrees with what was written: nothing
 * of ours that came later is in it, and its lines are in the same order, since the old program moves none.
 *
 * @param bases oldest first, at least one.
 */
export function chooseBase(bases: readonly Base[], rows: readonly ListRow[]): Base {
  if (bases.length === 1) return bases[0]!;
  const written = new Set(rows.map(formatRow));
  let chosen = 0;
  for (let index = 1; index < bases.length; index++) {
    const before = new Set(bases[index - 1]!.rows.map(formatRow));
    const isSeen = ({ rows: later }: Base): boolean =>
      later.some((row) => {
        const line = formatRow(row);
        return !before.has(line) && written.has(line);
      });
    if (isSeen(bases[index]!)) chosen = index;
  }
  const order = new Map(rows.map(({ modelId }, index) => [modelId, index]));
  while (chosen < bases.length - 1 && !isInOrder(bases[chosen]!, order)) chosen++;
  return bases[chosen]!;
}

function isInOrder({ rows }: Base, order: ReadonlyMap<string, number>): boolean {
  let last = -1;
  for (const { modelId } of rows) {
    const at = order.get(modelId);
    if (at === undefined) continue;
    if (at < last) return false;
    last = at;
  }
  return true;
}
