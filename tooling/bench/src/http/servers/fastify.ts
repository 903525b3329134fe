import fastify from "fastify";

import { NEWEST, openRawReads, toPage } from "./raw-reads.ts";
import { toWire, WIRE_SCHEMA } from "./wire.ts";

// Fastify with response schemas over prepared statements.
const [path, port] = process.argv.slice(2);
const reads = openRawReads(path!);
const app = fastify();
app.get<{ Params: { name: string } }>(
  "/v1/models/:name",
  { schema: { response: { 200: WIRE_SCHEMA } } },
  (request, reply) => {
    const row = reads.one(request.params.name);
    if (row === undefined) void reply.code(404).send();
    else void reply.send(toWire(row));
  },
);
app.get<{ Querystring: { before?: string } }>(
  "/v1/models",
  {
    schema: {
      response: {
        200: {
          type: "object",
          properties: {
            object: { type: "string" },
            data: { type: "array", items: WIRE_SCHEMA },
            next_cursor: { type: "string", nullable: true },
          },
        },
      },
    },
  },
  (request, reply) => {
    void reply.send(toPage(reads.page(Number(request.query.before ?? NEWEST)).map(toWire)));
  },
);
await app.listen({ port: Number(port), host: "127.0.0.1" });
