import { createServer } from "node:http";

// What Node alone needs to answer, and with as many bytes as the path says.
const [, port] = process.argv.slice(2);
let bytes = Buffer.alloc(0);
createServer(({ url }, response) => {
  const length = Number(/^\/bytes\/(\d+)$/.exec(url!)?.[1] ?? 0);
  if (length === 0) {
    response.writeHead(200, { "content-type": "text/plain" });
    response.end("hello");
    return;
  }
  if (bytes.length !== length) bytes = Buffer.alloc(length, "a");
  response.writeHead(200, { "content-type": "application/json", "content-length": length });
  response.end(bytes);
}).listen(Number(port), "127.0.0.1");
