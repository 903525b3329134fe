import { existsSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect as tlsConnect } from "node:tls";

import { expect, test, vi } from "vitest";

import { hasOpenssl, makeCertificate } from "./certificate.ts";
import { Sandbox } from "./program.ts";

// Each is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

test("a unix socket answers its own user alone, and goes away with the program", async () => {
  await using sandbox = new Sandbox();
  const path = sandbox.path("s");
  const server = await sandbox.start(["--socket", path]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await statusOver(path)).toBe(200);
  expect(server.log.filter(({ address }) => address !== undefined)).toHaveLength(1);
  expect(await server.end()).toBe(0);
  expect(existsSync(path)).toBe(false);
});

test("a socket that a killed program left is replaced; one in use, or another file, is not", async () => {
  await using sandbox = new Sandbox();
  const path = sandbox.path("s");
  await (await sandbox.start(["--socket", path])).end("SIGKILL");
  expect(existsSync(path)).toBe(true);
  await sandbox.start(["--socket", path]);
  expect(await statusOver(path)).toBe(200);

  const second = await sandbox.run(["--db", sandbox.db, "--socket", path]);
  expect(second.stderr).toMatch(/Another program listens on the socket/);
  expect(second.exitCode).toBe(1);
  expect(await statusOver(path)).toBe(200);

  writeFileSync(sandbox.path("notes.txt"), "mine");
  const third = await sandbox.run(["--db", sandbox.db, "--socket", sandbox.path("notes.txt")]);
  expect(third.stderr).toMatch(/is there already and no socket/);
});

test("a certificate or a socket's folder that is not there is named, with exit code 3", async () => {
  await using sandbox = new Sandbox();
  const [cert, path] = [sandbox.path("no.pem"), sandbox.path("no-folder/s")];
  const noCert = await sandbox.run([
    "--db",
    sandbox.db,
    "--port",
    "0",
    "--tls-cert",
    cert,
    "--tls-key",
    cert,
  ]);
  expect(noCert).toMatchObject({ exitCode: 3, stderr: `cortex-server: There is no file ${cert}.\n` });
  const noFolder = await sandbox.run(["--db", sandbox.db, "--socket", path]);
  expect(noFolder.stderr).toMatch(/There is no folder \S+no-folder for the socket: make it/);
  expect(noFolder.exitCode).toBe(3);
});

test("beside a socket it listens on a port where one is named", async () => {
  await using sandbox = new Sandbox();
  const path = sandbox.path("s");
  const server = await sandbox.start(["--socket", path, "--port", "0"]);
  await server.line(({ address }) => String(address).startsWith("http"));
  expect(await statusOver(path)).toBe(200);
  expect((await fetch(`${server.url}/v1/models`)).status).toBe(200);
});

test("HTTPS uses the certificate, and SIGHUP another one in its place", async ({ skip }) => {
  if (!hasOpenssl()) skip("there is no openssl to make a certificate with");
  await using sandbox = new Sandbox();
  const [cert, key] = [sandbox.path("c.pem"), sandbox.path("k.pem")];
  makeCertificate("first", cert, key);
  const server = await sandbox.start(["--tls-cert", cert, "--tls-key", key]);
  expect(server.url).toMatch(/^https:/);
  expect(await certificateName(server.url)).toBe("first");

  makeCertificate("second", cert, key);
  server.process.kill("SIGHUP");
  await vi.waitFor(async () => expect(await certificateName(server.url)).toBe("second"), 10_000);

  writeFileSync(key, "no key");
  server.process.kill("SIGHUP");
  await server.line(({ msg }) => /stay as they were.*no certificate and its key/.test(String(msg)));
  expect(await certificateName(server.url)).toBe("second");
  expect(await server.end()).toBe(0);
});

async function statusOver(socketPath: string): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    request({ socketPath, path: "/v1/models", headers: { host: "localhost" }, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on("error", reject)
      .end();
  });
}

async function certificateName(url: string): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    const socket = tlsConnect({ port: Number(new URL(url).port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    }).on("error", reject);
  });
}
