import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { etag } from "hono/etag";

import { observed } from "./observed.ts";
import { NEWEST, openRawReads, toPage } from "./raw-reads.ts";
import { toWire } from "./wire.ts";

// Hono's `c.json` over prepared statements; below /tagged with its middleware `etag()`, below /observed with a
// log, counts and checks.
const [path, port] = process.argv.slice(2);
const reads = openRawReads(path!);
const app = new Hono();
app.use("/tagged/*", etag());
app.use("/observed/*", ...observed());
for (const base of ["", "/tagged", "/observed"]) {
  app.get(`${base}/v1/models/:name`, (c) => {
    const row = reads.one(c.req.param("name"));
    return row === undefined ? c.notFound() : c.json(toWire(row));
  });
  app.get(`${base}/v1/models`, (c) =>
    c.json(toPage(reads.page(Number(c.req.query("before") ?? NEWEST)).map(toWire))),
  );
}
serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" });
