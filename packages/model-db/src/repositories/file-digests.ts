import { query, type Query } from "../database/query.ts";
import { parseInteger, parseText } from "../domain/input.ts";
import { invalidInput } from "../errors.ts";
import type { FileDigestTable } from "../schema/file-digest.ts";
import type { Scope } from "./scope.ts";

/** What was found of the content of a file on this machine, as it was then. */
export interface FileDigest {
  /** Absolute. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Unix milliseconds. */
  readonly modifiedAt: number;
  /** What the file system knows the file by, in decimal digits. */
  readonly inode: string;
  /** Over its size and some parts of it; `null` where it was not taken. */
  readonly sampleSha256: string | null;
  /** Over all of it; `null` where it was not taken. */
  readonly sha256: string | null;
}

const byPaths: Query<{ paths: string }, FileDigestTable> = query(
  "file digests by paths",
  ({ db, p, dialect }) =>
    db
      .selectFrom(dialect.texts(p("paths")).as("wanted"))
      .innerJoin("file_digest", "file_digest.path", "wanted.value")
      .selectAll("file_digest"),
);
const keepDigest: Query<FileDigestTable, unknown> = query("file digest keep", ({ db, p }) => {
  const found = {
    size_bytes: p("size_bytes"),
    modified_at: p("modified_at"),
    inode: p("inode"),
    sample_sha256: p("sample_sha256"),
    sha256: p("sha256"),
  };
  return db
    .insertInto("file_digest")
    .values({ path: p("path"), ...found })
    .onConflict((conflict) => conflict.column("path").doUpdateSet(found));
});
const forgetDigest: Query<{ path: string }, unknown> = query("file digest forget", ({ db, p }) =>
  db.deleteFrom("file_digest").where("path", "=", p("path")),
);

const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Digests of files that take minutes to read, by their paths: whoever asks compares size, time and inode with the
 * file as it is now. They are about the machine and not about a model: only who may change all models sees them.
 */
export class FileDigests {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /**
   * What is kept of files.
   *
   * @returns by path; files of which nothing is kept are absent.
   * @throws RegistryError `permission_denied`.
   */
  async findMany(paths: readonly string[]): Promise<Map<string, FileDigest>> {
    this.#scope.access?.checkAll("change");
    const rows = await this.#scope.reader.all(byPaths, { paths: JSON.stringify(paths) });
    return new Map(rows.map((row) => [row.path, toFileDigest(row)]));
  }

  /**
   * Keeps what was found of files, all of it or nothing; what was kept of the same paths is replaced.
   *
   * @throws RegistryError `permission_denied`, `invalid_input`.
   */
  async keepMany(digests: readonly FileDigest[]): Promise<void> {
    this.#scope.access?.checkAll("change");
    const rows = digests.map(toRow);
    await this.#scope.write(async (session) => {
      for (const row of rows) await session.run(keepDigest, row);
    });
  }

  /**
   * Forgets files, such as those that are gone.
   *
   * @throws RegistryError `permission_denied`.
   */
  async forgetMany(paths: readonly string[]): Promise<void> {
    this.#scope.access?.checkAll("change");
    await this.#scope.write(
      async (session) => {
        for (const path of paths) await session.run(forgetDigest, { path });
      },
      { makesRoom: true },
    );
  }
}

function toFileDigest(row: FileDigestTable): FileDigest {
  return {
    path: row.path,
    sizeBytes: row.size_bytes,
    modifiedAt: row.modified_at,
    inode: row.inode,
    sampleSha256: row.sample_sha256,
    sha256: row.sha256,
  };
}

function toRow({ path, sizeBytes, modifiedAt, inode, sampleSha256, sha256 }: FileDigest): FileDigestTable {
  const parsed = parseText("path", path);
  if (parsed === null) throw invalidInput("path", "path must not be empty.");
  for (const [field, digest] of [
    ["sample_sha256", sampleSha256],
    ["sha256", sha256],
  ] as const) {
    if (digest !== null && !SHA256.test(digest))
      throw invalidInput(field, `${field} must be 64 lower-case hexadecimal digits.`);
  }
  return {
    path: parsed,
    size_bytes: parseInteger("size_bytes", sizeBytes),
    modified_at: parseInteger("modified_at", modifiedAt),
    inode: parseText("inode", inode) ?? "",
    sample_sha256: sampleSha256,
    sha256,
  };
}
