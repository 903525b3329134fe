import Database from "better-sqlite3";

import { APPLICATION_ID } from "../database/sqlite/application-id.ts";
import { toRegistryError } from "../database/sqlite/errors.ts";
import { readSchemaVersion } from "../database/sqlite/schema-version.ts";

/** The other program's database while a registry moves in. */
export interface Host {
  readonly query: (sql: string) => Record<string, unknown>[];
  readonly exec: (sql: string) => void;
}

/** What the database's own program needs done in the same transaction. */
export interface MovingIn {
  /** Further databases that the SQL below reads, by the name that they have in it. */
  readonly beside?: Readonly<Record<string, string>>;
  /** Called first; nobody else can write from here on. What it throws leaves everything as it was. */
  makeRoom(host: Host): void;
  /** Called when the registry is there, before the commit. */
  settleIn(host: Host): void;
}

/**
 * Makes a registry of a database that another program goes on using: all that a registry holds comes
 * beside what is there, in one transaction. Interrupted at any moment, the database is what it was.
 *
 * @param registryPath the registry that moves in; it stays as it is, and nobody may change it meanwhile.
 * @param hostPath the database; a new file where there is none.
 * @throws RegistryError `database_busy`, `disk_full`, `read_only`, `database_damaged`; what `around` throws.
 */
export function hostRegistry(registryPath: string, hostPath: string, around: MovingIn): void {
  try {
    const connection = new Database(hostPath, { timeout: 5000 });
    try {
      connection.pragma("synchronous = FULL");
      connection.pragma("foreign_keys = OFF");
      const attach = connection.prepare("ATTACH ? AS ?");
      for (const [name, path] of Object.entries({ ...around.beside, moving: registryPath }))
        attach.run(path, name);
      connection.transaction(() => moveIn(connection, around)).immediate();
    } finally {
      connection.close();
    }
  } catch (error) {
    throw toRegistryError(error, hostPath);
  }
}

function moveIn(connection: Database.Database, around: MovingIn): void {
  const host: Host = {
    query: (sql) => connection.prepare<[], Record<string, unknown>>(sql).all(),
    exec: (sql) => void connection.exec(sql),
  };
  around.makeRoom(host);
  // The tables of the search index make themselves, and it can be filled from the models.
  const objects = connection
    .prepare<[], { type: string; name: string; sql: string }>(
      `SELECT type, name, sql FROM moving.sqlite_schema
       WHERE sql IS NOT NULL AND name NOT IN (SELECT name FROM pragma_table_list WHERE schema = 'moving' AND type = 'shadow')`,
    )
    .all();
  const create = (type: string): void =>
    objects.filter((object) => object.type === type).forEach(({ sql }) => connection.exec(sql));
  create("table");
  for (const { type, name, sql } of objects) {
    if (type === "table" && !sql.startsWith("CREATE VIRTUAL"))
      connection.exec(`INSERT INTO main."${name}" SELECT * FROM moving."${name}"`);
  }
  for (const type of ["index", "view", "trigger"]) create(type);
  connection.exec(`
    INSERT INTO model_search (model_search, rank) SELECT k, v FROM moving.model_search_config WHERE k <> 'version';
    INSERT INTO model_search (rowid, text) SELECT seq, text FROM model_search_text;
    INSERT INTO model_search (model_search) VALUES ('optimize');
  `);
  connection.pragma(`main.application_id = ${APPLICATION_ID}`);
  connection.pragma(
    `main.user_version = ${connection.pragma("moving.user_version", { simple: true }) as number}`,
  );
  around.settleIn(host);
  readSchemaVersion(connection);
}
