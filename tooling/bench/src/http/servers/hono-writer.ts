import { serve } from "@hono/node-server";
import { Hono } from "hono";

import { EQUAL_WORK, RawWriter } from "../../contenders/raw-writer.ts";
import { openRaw } from "../../contenders/raw.ts";
import { openRawReads } from "./raw-reads.ts";
import { toWire } from "./wire.ts";

// Hono over prepared statements, with a durable commit for each request.
const [path, port] = process.argv.slice(2);
const writer = new RawWriter(openRaw(path!), EQUAL_WORK);
const reads = openRawReads(path!);
const app = new Hono();
app.patch("/v1/models/:name", async (c) => {
  const name = c.req.param("name");
  await c.req.json();
  writer.togglePin(name, Date.now());
  return c.json(toWire(reads.one(name)!));
});
serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" });
