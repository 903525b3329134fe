import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { Hono } from "hono";

import { EQUAL_WORK, RawWriter } from "../../contenders/raw-writer.ts";
import { openRaw } from "../../contenders/raw.ts";
import { contextLengthOf } from "./asked-change.ts";
import { toWire } from "./wire.ts";

// Hono over prepared statements, with a durable commit for each request.
const [path, port] = process.argv.slice(2);
const writer = new RawWriter(openRaw(path!), EQUAL_WORK);
let requests = 0;
const app = new Hono();
app.patch("/v1/models/:name", async (c) => {
  const contextLength = contextLengthOf(await c.req.json());
  const requestId = `hono-${(requests += 1)}`;
  const origin = { address: getConnInfo(c).remote.address!, request_id: requestId };
  const row = writer.change({ name: c.req.param("name"), contextLength, origin }, Date.now());
  const etag = `"${row["row_version"]}-${row["row_checksum"]}"`;
  return c.json(toWire(row), 200, { etag, "x-request-id": requestId });
});
serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" });
