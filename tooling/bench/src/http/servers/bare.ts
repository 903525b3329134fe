import { createServer } from "node:http";

// What Node alone needs to answer.
const [, port] = process.argv.slice(2);
createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/plain" });
  response.end("hello");
}).listen(Number(port), "127.0.0.1");
