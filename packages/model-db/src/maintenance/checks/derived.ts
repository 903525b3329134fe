import type Database from "better-sqlite3";

import { shown } from "../../domain/input.ts";
import { finding, type FindingCode, type Look } from "../findings.ts";

// Everything here could be made again from the models or the history; what differs is named, a thousand of a kind at most.
const LIMIT = "LIMIT 1000";

const NAMES = `
  SELECT model_id AS name, seq, model_id FROM model
  UNION SELECT alias, seq, model_id FROM model WHERE alias IS NOT NULL
  UNION SELECT alias.value, seq, model_id FROM model, json_each(aliases) AS alias WHERE aliases <> '[]'`;
const TAGS = `SELECT tag.value AS tag, seq, model_id FROM model, json_each(tags) AS tag WHERE tags <> '[]'`;

/** The names that the database guards, against those of the models. */
export function* checkNames(connection: Database.Database): Generator<Look, undefined> {
  yield* find(
    connection,
    "name_missing",
    `SELECT wanted.model_id AS subject, wanted.name AS word FROM (${NAMES}) AS wanted
     LEFT JOIN model_name AS found ON found.name = wanted.name WHERE found.model_seq IS NOT wanted.seq ${LIMIT}`,
    (subject, word) => `${shown(word)} is a name of ${shown(subject)}, and does not mean it.`,
  );
  yield* find(
    connection,
    "name_astray",
    `SELECT found.name AS subject, found.name AS word FROM model_name AS found
     LEFT JOIN model ON model.seq = found.model_seq
     WHERE model.seq IS NULL OR NOT (found.name = model.model_id OR found.name IS model.alias
       OR EXISTS (SELECT 1 FROM json_each(model.aliases) WHERE value = found.name)) ${LIMIT}`,
    (subject) => `The name ${shown(subject)} points at no model that has it.`,
  );
}

/** The labels that models are found by, against those of the models. */
export function* checkTags(connection: Database.Database): Generator<Look, undefined> {
  yield* find(
    connection,
    "tag_missing",
    `SELECT wanted.model_id AS subject, wanted.tag AS word FROM (${TAGS}) AS wanted
     LEFT JOIN model_tag AS found ON found.model_seq = wanted.seq AND found.tag = wanted.tag
     WHERE found.tag IS NULL ${LIMIT}`,
    (subject, word) => `${shown(subject)} has the label ${shown(word)}, and is not found by it.`,
  );
  yield* find(
    connection,
    "tag_astray",
    `SELECT coalesce(model.model_id, found.tag) AS subject, found.tag AS word FROM model_tag AS found
     LEFT JOIN model ON model.seq = found.model_seq
     WHERE model.seq IS NULL OR NOT EXISTS (SELECT 1 FROM json_each(model.tags) WHERE value = found.tag) ${LIMIT}`,
    (subject, word) => `The label ${shown(word)} finds ${shown(subject)}, which does not have it.`,
  );
}

/** The index of the history by models, against the history as far as it is indexed. */
export function* checkEventIndex(connection: Database.Database): Generator<Look, undefined> {
  yield* find(
    connection,
    "event_missing",
    `SELECT model_id AS subject, 'event ' || event_id AS word FROM model_event
     WHERE event_id <= (SELECT indexed_event_id FROM registry) AND NOT EXISTS (SELECT 1 FROM model_event_index AS found
       WHERE found.model_id = model_event.model_id AND found.event_id = model_event.event_id) ${LIMIT}`,
    (subject, word) => `The history of ${shown(subject)} does not lead to ${word}.`,
  );
  yield* find(
    connection,
    "event_astray",
    `SELECT found.model_id AS subject, 'event ' || found.event_id AS word FROM model_event_index AS found
     LEFT JOIN model_event AS event ON event.event_id = found.event_id
     WHERE event.model_id IS NOT found.model_id OR found.event_id > (SELECT indexed_event_id FROM registry) ${LIMIT}`,
    (subject, word) => `The history of ${shown(subject)} leads to ${word} astray.`,
  );
}

// What old programs wrote is indexed by the next change of ours.
function seen(seq: string): string {
  return `${seq} NOT IN (SELECT model_seq FROM model_unseen)`;
}

/** Whether each model is in the search index, and nothing else. */
export function* checkSearchRows(connection: Database.Database): Generator<Look, undefined> {
  yield* find(
    connection,
    "search_missing",
    `SELECT model_id AS subject, '' AS word FROM model
     LEFT JOIN model_search_docsize AS found ON found.id = model.seq WHERE found.id IS NULL AND ${seen("model.seq")} ${LIMIT}`,
    (subject) => `${shown(subject)} is not in the search index.`,
  );
  yield* find(
    connection,
    "search_astray",
    `SELECT 'row ' || found.id AS subject, '' AS word FROM model_search_docsize AS found
     LEFT JOIN model ON model.seq = found.id WHERE model.seq IS NULL AND ${seen("found.id")} ${LIMIT}`,
    (subject) => `The search index holds ${subject}, and there is no such model.`,
  );
}

/** The words of the search index against those of one that is made anew, beside the registry. */
export function* checkSearchText(connection: Database.Database): Generator<Look, undefined> {
  // What old programs wrote is indexed by the next change of ours, and found by its text until then.
  if (connection.prepare("SELECT 1 FROM model_unseen LIMIT 1").get() !== undefined) return;
  connection.exec(`
    CREATE VIRTUAL TABLE temp.fresh USING fts5 (text, content = '', tokenize = 'trigram');
    CREATE VIRTUAL TABLE temp.fresh_words USING fts5vocab (temp, fresh, row);
    CREATE VIRTUAL TABLE temp.words USING fts5vocab (main, model_search, row);
  `);
  try {
    const last = connection.prepare("SELECT coalesce(max(seq), 0) FROM model").pluck().get() as number;
    const insert = connection.prepare(
      "INSERT INTO temp.fresh (rowid, text) SELECT seq, text FROM main.model_search_text WHERE seq > ? AND seq <= ?",
    );
    for (let seq = 0; seq < last; seq += BATCH) yield insert.run(seq, seq + BATCH).changes;
    const differing = connection
      .prepare(
        `SELECT count(*) FROM (
           SELECT * FROM (SELECT term, doc, cnt FROM temp.words EXCEPT SELECT term, doc, cnt FROM temp.fresh_words)
           UNION SELECT * FROM (SELECT term, doc, cnt FROM temp.fresh_words EXCEPT SELECT term, doc, cnt FROM temp.words))`,
      )
      .pluck()
      .get() as number;
    if (differing > 0) {
      const message = `The search index is not that of the models: ${differing} of its words differ.`;
      yield finding("search_text", "model_search", message);
    }
  } finally {
    connection.exec("DROP TABLE temp.words; DROP TABLE temp.fresh_words; DROP TABLE temp.fresh;");
  }
}

/**
 * Whether the search index leads to each of its pages: what SQLite has to say of it, and its words, go by the
 * pages alone. https://www.sqlite.org/fts5.html#fts5_data_structures, and `fts5_index.c` for the ids.
 */
export function* checkSearchPages(connection: Database.Database): Generator<Look, undefined> {
  const pages = connection.prepare<[], { place: string; bytes: number; start: unknown }>(
    `SELECT (id >> 37) || ' ' || (id & 0x7fffffff) AS place, length(block) AS bytes, substr(block, 1, 4) AS start
     FROM model_search_data WHERE id >= 1 << 37 AND id < 65536 << 37 AND (id >> 31) & 63 = 0`,
  );
  // A merge that is under way has taken away the first pages of what it merges, and not yet what leads to them.
  const leadsTo = connection
    .prepare(
      `SELECT segid || ' ' || (pgno >> 1) FROM model_search_idx
       WHERE pgno >> 1 >= coalesce((SELECT min(id) FROM model_search_data
         WHERE id >= segid << 37 AND id < (segid << 37) + (1 << 31)) & 0x7fffffff, 0)`,
    )
    .pluck();
  const led = new Set(leadsTo.all() as string[]);
  yield led.size;
  let missed = 0;
  for (const { place, bytes, start } of pages.iterate()) {
    const isPage = Buffer.isBuffer(start) && start.length === 4;
    // Behind its words a page says where each begins; one on which none does is read on from the one before.
    if (!isPage || (bytes > start.readUInt16BE(2) && !led.delete(place))) missed++;
  }
  if (missed + led.size === 0) return;
  const message = `The search index does not lead to ${missed} of its pages, and to ${led.size} that are not there.`;
  yield finding("search_text", "model_search", message);
}

const BATCH = 5000;

function* find(
  connection: Database.Database,
  code: FindingCode,
  sql: string,
  message: (subject: string, word: string) => string,
): Generator<Look, undefined> {
  for (const { subject, word } of connection.prepare<[], { subject: string; word: string }>(sql).all()) {
    yield finding(code, subject, message(subject, word));
  }
}
