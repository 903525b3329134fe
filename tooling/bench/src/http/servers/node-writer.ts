import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

import { EQUAL_WORK, RawWriter, type AskedChange } from "../../contenders/raw-writer.ts";
import { openRaw } from "../../contenders/raw.ts";
import { contextLengthOf } from "./asked-change.ts";
import { toWire } from "./wire.ts";

// What Node alone and prepared statements need where those that wait share a commit.
const [path, port] = process.argv.slice(2);
const writer = new RawWriter(openRaw(path!), EQUAL_WORK);
let requests = 0;
let waiting: { asked: AskedChange; response: ServerResponse }[] = [];
createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    if (waiting.length === 0) setImmediate(commit);
    waiting.push({ asked: toAsked(request, Buffer.concat(chunks).toString()), response });
  });
}).listen(Number(port), "127.0.0.1");

function toAsked({ url, socket }: IncomingMessage, body: string): AskedChange {
  return {
    name: decodeURIComponent(url!.slice("/v1/models/".length)),
    contextLength: contextLengthOf(JSON.parse(body)),
    origin: { address: socket.remoteAddress!, request_id: `node-${(requests += 1)}` },
  };
}

function commit(): void {
  const together = waiting;
  waiting = [];
  const rows = writer.changeAll(
    together.map(({ asked }) => asked),
    Date.now(),
  );
  for (const [index, { asked, response }] of together.entries()) {
    const row = rows[index]!;
    const text = JSON.stringify(toWire(row));
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      etag: `"${row["row_version"]}-${row["row_checksum"]}"`,
      "x-request-id": asked.origin.request_id,
    });
    response.end(text);
  }
}
