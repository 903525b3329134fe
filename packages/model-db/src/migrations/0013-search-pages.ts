import type { Migration } from "./migration.ts";

/**
 * Pages of the search index of half a page of the database. A search for the newest models takes apart the last
 * page of each trigram's list from its beginning, so that smaller ones make it shorter; still smaller ones make a
 * search for what is rare among a million models longer, which leaps from page to page.
 * https://sqlite.org/fts5.html#the_pgsz_configuration_option
 */
export const createSearchPages: Migration = {
  version: 13,
  name: "search-pages",
  readableBy: 7,
  sqlite: {
    up: `
      INSERT INTO model_search (model_search, rank) VALUES ('pgsz', 2000);
      INSERT INTO model_search (model_search) VALUES ('delete-all');
      INSERT INTO model_search (rowid, text) SELECT seq, text FROM model_search_text;
      INSERT INTO model_search (model_search) VALUES ('optimize');
    `,
    down: `
      INSERT INTO model_search (model_search, rank) VALUES ('pgsz', 4050);
    `,
  },
};
