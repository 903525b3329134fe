import { PageVersions } from "./page-versions.ts";
import { PageDamage } from "./pages/page-damage.ts";
import type { Pages } from "./pages/page-file.ts";
import { firstRow } from "./pages/table-lookup.ts";

/** What a registry is known by, and when it was made. */
export interface RegistryIdentity {
  readonly registryId: string;
  /** Unix milliseconds. */
  readonly createdAt: number;
}

// Two ids that have nothing to do with each other have two equal digits on average.
const MOST_DAMAGED_DIGITS = 8;

/**
 * Whether two files are of one registry, also where bits of an id flipped: nothing in a file vouches for
 * the id.
 */
export function isSameRegistry(one: RegistryIdentity, other: RegistryIdentity): boolean {
  const different = one.registryId.split("").filter((digit, index) => digit !== other.registryId[index]);
  return different.length <= MOST_DAMAGED_DIGITS;
}

// The record of its one row, after the length of its header: a text of 32 characters, a whole number of six bytes.
// What later schemas added stands behind these two.
const RECORD_START = Buffer.from([13 + 2 * 32, 5]);
const MAX_HEADER = 8;
const ID = /^[0-9a-f]{32}$/;

/**
 * The identity of the registry in a file, which may be damaged: from its table, or wherever a record
 * stands that can be no other.
 *
 * @returns `undefined` where the file holds none.
 * @throws NodeJS.ErrnoException where the file cannot be read.
 */
export function findIdentity(path: string): RegistryIdentity | undefined {
  // The file's own pages first: its log may be another's.
  using versions = new PageVersions(path, "older");
  return readIdentity(versions.file) ?? readIdentity(versions) ?? searchIdentity(versions);
}

function readIdentity(pages: Pages): RegistryIdentity | undefined {
  try {
    const [registryId, createdAt] = firstRow(pages, "registry") ?? [];
    if (typeof registryId !== "string" || typeof createdAt !== "number") return undefined;
    return ID.test(registryId) ? { registryId, createdAt } : undefined;
  } catch (error) {
    if (error instanceof PageDamage) return undefined;
    throw error;
  }
}

function searchIdentity(versions: PageVersions): RegistryIdentity | undefined {
  for (const version of versions.all()) {
    const bytes = version.read();
    for (let at = bytes.indexOf(RECORD_START, 1); at !== -1; at = bytes.indexOf(RECORD_START, at + 1)) {
      const header = bytes[at - 1]!;
      const start = at - 1 + header;
      if (header > MAX_HEADER || start + 38 > bytes.length) continue;
      const registryId = bytes.toString("latin1", start, start + 32);
      if (ID.test(registryId)) return { registryId, createdAt: bytes.readIntBE(start + 32, 6) };
    }
  }
  return undefined;
}
