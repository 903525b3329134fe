import { PageDamage } from "./page-damage.ts";

const MAGIC = Buffer.from("SQLite format 3\0", "latin1");

/** How many bytes the header takes at the beginning of the first page. */
export const DATABASE_HEADER_BYTES = 100;

/** What stands at the beginning of a SQLite file: https://www.sqlite.org/fileformat2.html#the_database_header */
export interface DatabaseHeader {
  /** A power of two from 512 to 65,536. */
  readonly pageSize: number;
  /** The bytes of a page that SQLite uses: at least 480. */
  readonly usableSize: number;
  /** A number that each change of the schema changes. */
  readonly schemaCookie: number;
}

/**
 * Reads the header of a database.
 *
 * @param bytes the beginning of the file, at least 100 bytes where it is one.
 * @throws PageDamage where these bytes are no header, or one that says what cannot be.
 */
export function parseDatabaseHeader(bytes: Buffer): DatabaseHeader {
  if (bytes.length < DATABASE_HEADER_BYTES) throw new PageDamage("The file is too short for a database.");
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new PageDamage("The file is no database.");
  const stored = bytes.readUInt16BE(16);
  const pageSize = stored === 1 ? 65_536 : stored;
  const usableSize = pageSize - bytes[20]!;
  if (!isPageSize(pageSize) || usableSize < 480)
    throw new PageDamage(`There are no pages of ${pageSize} bytes.`);
  if (bytes[21] !== 64 || bytes[22] !== 32 || bytes[23] !== 32) {
    throw new PageDamage("The header's fixed bytes are not what they must be.");
  }
  if (bytes[18]! > 2 || bytes[19]! > 2 || bytes[18] === 0 || bytes[19] === 0) {
    throw new PageDamage("The file is in a format that SQLite does not have.");
  }
  return { pageSize, usableSize, schemaCookie: bytes.readUInt32BE(40) };
}

/** Whether pages can be of that size. */
export function isPageSize(bytes: number): boolean {
  return bytes >= 512 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0;
}
