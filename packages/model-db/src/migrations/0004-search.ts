import type { Migration } from "./migration.ts";

/**
 * Substring search over id, aliases, repository, notes and tags. The view says what is searched; the
 * trigram index (https://sqlite.org/fts5.html#the_trigram_tokenizer) holds no second copy of it.
 */
export const createSearch: Migration = {
  version: 4,
  name: "search",
  readableBy: 4,
  sqlite: {
    up: `
      CREATE VIEW model_search_text (seq, text) AS
        SELECT seq,
          model_id || char(10) || coalesce(alias, '') || char(10) || coalesce(author_repo, '')
            || char(10) || coalesce(notes, '')
            || CASE aliases WHEN '[]' THEN ''
               ELSE char(10) || (SELECT group_concat(value, char(10)) FROM json_each(aliases)) END
            || CASE tags WHEN '[]' THEN ''
               ELSE char(10) || (SELECT group_concat(value, char(10)) FROM json_each(tags)) END
        FROM model;
      CREATE VIRTUAL TABLE model_search
        USING fts5 (text, content = '', contentless_delete = 1, tokenize = 'trigram');
      INSERT INTO model_search (rowid, text) SELECT seq, text FROM model_search_text;
    `,
    down: `
      DROP TABLE model_search;
      DROP VIEW model_search_text;
    `,
  },
};
