const BYTE_UNITS = new Map<string, number>([
  ["", 1],
  ["b", 1],
  ...["k", "m", "g", "t", "p"].flatMap((letter, index): [string, number][] => [
    [letter, 1000 ** (index + 1)],
    [`${letter}b`, 1000 ** (index + 1)],
    [`${letter}i`, 1024 ** (index + 1)],
    [`${letter}ib`, 1024 ** (index + 1)],
  ]),
]);
const SHOWN_BYTES = ["B", "kB", "MB", "GB", "TB", "PB"] as const;
const SHOWN_COUNTS = ["", "K", "M", "B", "T"] as const;
const COUNT_UNITS = new Map<string, number>([
  ["", 1],
  ["k", 1e3],
  ["ki", 1024],
  ["m", 1e6],
  ["mi", 1024 ** 2],
  ["b", 1e9],
  ["t", 1e12],
]);

/**
 * Bytes from what people write: `4700000000`, `4.7GB`, `4.7 gb` (decimal), `4.4GiB` (binary).
 *
 * @returns `undefined` when it is not a size, negative, or above 2^53 - 1.
 */
export function parseSize(text: string): number | undefined {
  return parseWithUnit(text, BYTE_UNITS);
}

/**
 * A number from what people write: `8030000000`, `8.03B`, `128K`, `32Ki`.
 *
 * @returns `undefined` when it is none.
 */
export function parseCount(text: string): number | undefined {
  return parseWithUnit(text, COUNT_UNITS);
}

/** Bytes for people, decimal, three digits at most: `4.7 GB`. */
export function formatSize(bytes: number): string {
  const [value, unit] = scale(bytes, SHOWN_BYTES);
  return `${value} ${unit}`;
}

/** A large number for people: `7.2B`, `128K`; below 1000 as it is. */
export function formatCount(count: number): string {
  const [value, unit] = scale(count, SHOWN_COUNTS);
  return `${value}${unit}`;
}

function parseWithUnit(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const match = /^(\d{1,16}(?:\.\d{1,9})?) ?([a-z]{0,3})$/i.exec(text.trim());
  const factor = match === null ? undefined : units.get(match[2]!.toLowerCase());
  if (match === null || factor === undefined) return undefined;
  const exact = Number(match[1]) * factor;
  const whole = Math.round(exact);
  // 4.7 GB is 4700000000.0000005 in floating point; 1.5 B is not a number of bytes.
  if (Math.abs(exact - whole) > 1e-6 * Math.max(1, exact) || !Number.isSafeInteger(whole)) return undefined;
  return factor === 1 && match[1]!.includes(".") ? undefined : whole;
}

function scale<Unit extends string>(number: number, units: readonly Unit[]): [string, Unit] {
  let value = number;
  let index = 0;
  while (index < units.length - 1 && value >= 999.5) {
    value /= 1000;
    index += 1;
  }
  const digits = index === 0 || value >= 99.95 ? 0 : 1;
  return [value.toFixed(digits).replace(/\.0$/, ""), units[index]!];
}
