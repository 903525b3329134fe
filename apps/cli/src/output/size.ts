const DECIMAL = ["B", "kB", "MB", "GB", "TB", "PB"] as const;
const COUNTS = ["", "K", "M", "B", "T"] as const;

/** Bytes for people, decimal, three digits at most: `4.7 GB`. */
export function formatSize(bytes: number): string {
  const [value, unit] = scale(bytes, DECIMAL);
  return `${value} ${unit}`;
}

/** A large number for people: `7.2B`, `128K`; below 1000 as it is. */
export function formatCount(count: number): string {
  const [value, unit] = scale(count, COUNTS);
  return `${value}${unit}`;
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
