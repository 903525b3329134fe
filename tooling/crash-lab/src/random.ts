/** A source of random numbers that a seed decides (mulberry32). */
export interface Random {
  /** From 0 up to, but not including, `end`. */
  below(end: number): number;
  /** True with a chance of `chance`, 0 to 1. */
  chance(chance: number): boolean;
  pick<T>(items: readonly T[]): T;
}

/** @param seed numbers or words; the same ones give the same sequence. */
export function createRandom(...seed: readonly (number | string)[]): Random {
  // FNV-1a, so that neighbouring seeds have nothing in common.
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(seed.join(" "))) state = Math.imul(state ^ byte, 0x01000193);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (end) => Math.floor(next() * end),
    chance: (chance) => next() < chance,
    pick: (items) => items[Math.floor(next() * items.length)]!,
  };
}
