import { execFileSync, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { RemoteFile } from "../../src/hub/remote-model.ts";

const PROGRAM = join(import.meta.dirname, "..", "processes", "download.ts");
const CONTENT = randomBytes(20 * 1024 * 1024);

let root: string;
let server: Server | undefined;
let connections = 0;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "cortex-https-"));
  if (!makeCertificate()) return;
  const pair = { cert: readFileSync(join(root, "cert.pem")), key: readFileSync(join(root, "key.pem")) };
  server = createServer(pair, (request, response) => {
    if (request.url === "/plain.gguf") {
      response.writeHead(302, { location: "http://127.0.0.1:9/m.gguf" }).end();
      return;
    }
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const [start, end] = [Number(from ?? 0), to === undefined ? CONTENT.length : Number(to) + 1];
    response.writeHead(from === undefined ? 200 : 206, {
      "content-length": end - start,
      ...(from !== undefined && { "content-range": `bytes ${start}-${end - 1}/${CONTENT.length}` }),
    });
    response.end(CONTENT.subarray(start, end));
  });
  server.on("secureConnection", () => connections++);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  server?.close();
  rmSync(root, { recursive: true });
});

/** Downloads in a process that trusts only what it is told to. @returns what it says of its failure. */
async function download(path: string, trusted: string): Promise<string> {
  const { port } = server!.address() as AddressInfo;
  const file: RemoteFile = {
    path: "m.gguf",
    sizeBytes: CONTENT.length,
    sha256: createHash("sha256").update(CONTENT).digest("hex"),
    gitSha1: null,
    url: `https://127.0.0.1:${port}/${path}`,
    etag: null,
  };
  const child = spawn(
    process.execPath,
    ["--conditions=@cortex/source", PROGRAM, JSON.stringify(file), root, "1"],
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, NODE_EXTRA_CA_CERTS: trusted } },
  );
  return text(child.stderr);
}

test(
  "a file comes over https, from whom the certificate names and nobody else",
  { timeout: 120_000 },
  async ({ skip }) => {
    if (server === undefined) skip("there is no openssl to make a certificate with");
    expect(await download("m.gguf", "")).toContain("source_unreachable");
    expect(existsSync(join(root, "m.gguf"))).toBe(false);
    expect(await download("m.gguf", join(root, "cert.pem"))).toBe("");
    expect(readFileSync(join(root, "m.gguf")).equals(CONTENT)).toBe(true);
    // One the common way, and others that read right into the buffers.
    expect(connections).toBeGreaterThan(1);
  },
);

test("https leads to no plain http", { timeout: 120_000 }, async ({ skip }) => {
  if (server === undefined) skip("there is no openssl to make a certificate with");
  rmSync(join(root, "m.gguf"), { force: true });
  expect(await download("plain.gguf", join(root, "cert.pem"))).toContain("from https to http");
});

function makeCertificate(): boolean {
  const pair = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const paths = ["-keyout", join(root, "key.pem"), "-out", join(root, "cert.pem")];
  const name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  try {
    execFileSync("openssl", ["req", "-x509", ...pair, ...paths, ...name], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
