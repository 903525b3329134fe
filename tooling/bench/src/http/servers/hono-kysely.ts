import { serve } from "@hono/node-server";
import { Hono } from "hono";

import { findBy, openKysely, selection } from "../../contenders/kysely.ts";
import type { Row } from "../../contenders/row.ts";
import { NEWEST, PAGE, toPage } from "./raw-reads.ts";
import { toWire } from "./wire.ts";

// Hono's `c.json` over Kysely with its stock SQLite dialect.
const [path, port] = process.argv.slice(2);
const db = openKysely(path!, { readonly: true });
const app = new Hono();
app.get("/v1/models/:name", async (c) => {
  const row = await findBy(db, "alias", c.req.param("name"));
  return row === undefined ? c.notFound() : c.json(toWire(row as Row));
});
app.get("/v1/models", async (c) => {
  const rows = await db
    .selectFrom("model")
    .select(selection())
    .where("model.seq", "<", Number(c.req.query("before") ?? NEWEST) as never)
    .orderBy("model.seq", "desc")
    .limit(PAGE + 1)
    .execute();
  return c.json(toPage(rows.map((row) => toWire(row as Row))));
});
serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" });
