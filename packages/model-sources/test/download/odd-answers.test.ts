import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { downloadFile } from "../../src/download/download-file.ts";
import { Hub } from "../../src/hub/hub.ts";
import { parseReference } from "../../src/reference/model-reference.ts";

const CONTENT = randomBytes(17 * 1024 * 1024);
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

/** How a server words an answer with a part of the file. */
type Wording = (start: number, end: number) => readonly (string | Buffer)[];

const head = (start: number, end: number, ...more: string[]): string =>
  [
    "HTTP/1.1 206 Partial Content",
    `Content-Range: bytes ${start}-${end - 1}/${CONTENT.length}`,
    'ETag: "state"',
    ...more,
    "\r\n",
  ].join("\r\n");
const plain: Wording = (start, end) => [
  head(start, end, `content-length: ${end - start}`),
  CONTENT.subarray(start, end),
];
const chunked = (start: number, end: number): Buffer[] => {
  const body = CONTENT.subarray(start, end);
  return [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from("\r\n0\r\n\r\n")];
};

const WORDINGS: Record<string, Wording> = {
  plain,
  "byte by byte": (start, end) => [
    ...Array.from(head(start, end, `content-length: ${end - start}`)),
    ...[0, 1, 2, 3].map((at) => CONTENT.subarray(start + at, start + at + 1)),
    CONTENT.subarray(start + 4, end),
  ],
  "with a comment before": (start, end) => ["HTTP/1.1 103 Early Hints\r\n\r\n", ...plain(start, end)],
  "in chunks": (start, end) => [head(start, end, "transfer-encoding: chunked"), ...chunked(start, end)],
  "in chunks, and with a length": (start, end) => [
    head(start, end, "transfer-encoding: chunked", `content-length: ${end - start}`),
    ...chunked(start, end),
  ],
  "with more than was asked for": (start, end) => [...plain(start, end), Buffer.alloc(100_000, "more")],
  "of another part": (start, end) => [
    head(start + 1, end + 1, `content-length: ${end - start}`),
    CONTENT.subarray(start, end),
  ],
  "shorter than it says": (start, end) => [
    head(start, end, `content-length: ${end - start}`),
    CONTENT.subarray(start, end - 1000),
  ],
  "without a length": (start, end) => [head(start, end, "connection: close"), CONTENT.subarray(start, end)],
  "with a head without end": () => ["HTTP/1.1 206 Partial Content\r\n", "x: y\r\n".repeat(20_000)],
  "that is no HTTP": () => ["220 mail.example.org ESMTP\r\n\r\n"],
  "that is empty": () => [],
  packed: (start, end) => [
    head(start, end, "content-encoding: gzip", `content-length: ${end - start}`),
    randomBytes(end - start),
  ],
};
// After these the connection is of no use.
const ENDS = new Set(["shorter than it says", "without a length", "that is empty"]);

let server: Server;
let wordings: string[];
let root: string;
const sockets = new Set<Socket>();

beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (request) => {
      const [, from, to] = /range: bytes=(\d+)-(\d+)/i.exec(String(request)) ?? [];
      const [start, end] = [Number(from ?? 0), to === undefined ? CONTENT.length : Number(to) + 1];
      const wording = (to === "0" ? undefined : wordings.shift()) ?? "plain";
      for (const piece of WORDINGS[wording]!(start, end)) socket.write(piece);
      if (ENDS.has(wording)) socket.end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cortex-odd-"));
});
afterEach(() => rmSync(root, { recursive: true }));

async function download(given: readonly string[]): Promise<void> {
  wordings = [...given];
  await using hub = new Hub({
    privateHosts: ["127.0.0.1"],
    retries: { count: 6, firstDelayMs: 1 },
    stallTimeoutMs: 5000,
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/m.gguf`;
  const [file] = (await hub.resolve(parseReference(url))).files;
  await downloadFile({
    file: file!,
    folder: { path: root, isWritable: true },
    path: "m.gguf",
    http: hub.http,
  });
}

const sha256Here = (): string =>
  createHash("sha256")
    .update(readFileSync(join(root, "m.gguf")))
    .digest("hex");

const harmless = Object.keys(WORDINGS).filter((name) => name !== "packed");

test.for(harmless)("an answer %s is understood, or asked for again", async (name) => {
  // The first two parts come the common way or the short one.
  await download(["plain", name, "plain", name]);
  expect(sha256Here()).toBe(SHA256);
});

test("an answer that is packed is refused", async () => {
  await expect(download(Array.from({ length: 40 }, () => "packed"))).rejects.toMatchObject({
    code: "source_unreachable",
    message: expect.stringContaining("gzip"),
  });
});

test("whatever odd answers come in whatever order, the file is whole", { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...harmless), { maxLength: 6 }), async (given) => {
      await download(given);
      expect(sha256Here()).toBe(SHA256);
      rmSync(join(root, "m.gguf"));
    }),
    { numRuns: 10 },
  );
});
