import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import Database from "better-sqlite3";

/** A row of the old table `models`; what is left out is NULL, or not there in an older schema. */
export type OldRow = Partial<Record<(typeof COLUMNS)[number], string | Buffer | null>>;

const COLUMNS = [
  "model_id",
  "author_repo_id",
  "branch_name",
  "path_to_model_yaml",
  "model_alias",
  "model_format",
  "model_source",
  "status",
  "engine",
  "metadata",
] as const;

// How many columns `models` has in each schema; "none" is 1.0.0 to 1.0.3, which had no schema_version.
const COLUMN_COUNT = { none: 5, 0: 5, 1: 9, 2: 10, 3: 10 } as const;

/** Writes a file, with the folders on the way. @returns its path. */
export function writeFile(path: string, content: string | Buffer): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

/** Writes `models/model.list` of a data folder. */
export function writeModelList(dataFolder: string, content: string | Buffer): string {
  return writeFile(join(dataFolder, "models", "model.list"), content);
}

/** Writes a `cortex.db` as the old program of that schema did. */
export function writeCortexDb(
  dataFolder: string,
  schema: keyof typeof COLUMN_COUNT,
  rows: readonly OldRow[],
): string {
  mkdirSync(dataFolder, { recursive: true });
  const path = join(dataFolder, "cortex.db");
  const columns = COLUMNS.slice(0, COLUMN_COUNT[schema]);
  const database = new Database(path);
  database.exec(
    `CREATE TABLE models (${columns.map((name) => `${name} TEXT${name === "model_id" ? " PRIMARY KEY" : ""}`).join(",")})`,
  );
  if (schema !== "none") {
    database.exec("CREATE TABLE schema_version (version INTEGER PRIMARY KEY)");
    database.prepare("INSERT INTO schema_version VALUES (?)").run(schema);
  }
  const insert = database.prepare(
    `INSERT INTO models (${columns.join(",")}) VALUES (${columns.map(() => "?").join(",")})`,
  );
  for (const row of rows) insert.run(columns.map((name) => row[name] ?? null));
  database.close();
  return path;
}

/** Writes a YAML and its weights as a download does. @returns the path of the YAML. */
export function writeModel(
  dataFolder: string,
  ymlPath: string,
  yml: string,
  weights: Record<string, number> = {},
): string {
  for (const [path, size] of Object.entries(weights)) writeFile(join(dataFolder, path), Buffer.alloc(size));
  return writeFile(join(dataFolder, ymlPath), yml);
}
