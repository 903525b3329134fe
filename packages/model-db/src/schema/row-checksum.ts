import type * as Crypto from "node:crypto";

let crypto: typeof Crypto | undefined;

/**
 * The checksum of one row: the first 16 hexadecimal digits of the SHA-256 of its values as a JSON
 * array, in the order of the table. SQLite does not notice a flipped bit inside a value; comparing
 * the two does, which is for a check of the registry to do.
 */
export function rowChecksum(values: readonly (string | number | null)[]): string {
  // Loaded at the first write: reads need none, and it is a quarter of what a cold start may take.
  crypto ??= process.getBuiltinModule("node:crypto");
  return crypto.hash("sha256", JSON.stringify(values), "hex").slice(0, 16);
}
