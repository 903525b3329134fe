import type { Migration } from "./migration.ts";

/** Finds files by their path and by their content: who brings models in asks for every file whether it is known. */
export const createFileIndex: Migration = {
  version: 11,
  name: "file-index",
  readableBy: 7,
  sqlite: {
    up: `
      CREATE INDEX model_file_path ON model_file (path);
      CREATE INDEX model_file_sha256 ON model_file (sha256) WHERE sha256 IS NOT NULL;
    `,
    down: `
      DROP INDEX model_file_sha256;
      DROP INDEX model_file_path;
    `,
  },
};
