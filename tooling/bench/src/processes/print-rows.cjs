// The least that a program can do to list models: opens CORTEX_DB, reads a page, prints it.
require("node:module").enableCompileCache(`${__dirname}/../../node_modules/.cache/cortex-bench-compiled`);
const Database = require("better-sqlite3");

const connection = new Database(process.env.CORTEX_DB, { readonly: true });
const rows = connection.prepare("SELECT * FROM model ORDER BY seq DESC LIMIT 51").all();
connection.close();
require("node:fs").writeSync(
  1,
  rows.map((row) => `${row.model_id} ${row.alias} ${row.source_type} ${row.size_bytes}\n`).join(""),
);
process.exit(0);
