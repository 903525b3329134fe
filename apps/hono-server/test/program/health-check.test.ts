import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { expect, test, vi } from "vitest";

import { hasOpenssl, makeCertificate } from "./certificate.ts";
import { Sandbox } from "./program.ts";

// Each is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

const HEALTH_CHECK = fileURLToPath(new URL("../../deploy/health-check.mjs", import.meta.url));

test("the container's health check finds a server ready, and one that has ended not", async () => {
  await using sandbox = new Sandbox();
  const server = await sandbox.start();
  const { port } = new URL(server.url);
  expect(await healthOf(port)).toBe(0);
  await server.end();
  expect(await healthOf(port)).toBe(1);
});

test("the container's health check finds a server ready that speaks HTTPS, whatever its certificate", async ({
  skip,
}) => {
  if (!hasOpenssl()) skip("there is no openssl to make a certificate with");
  await using sandbox = new Sandbox();
  const [cert, key] = [sandbox.path("c.pem"), sandbox.path("k.pem")];
  makeCertificate("models.example.org", cert, key);
  const server = await sandbox.start(["--tls-cert", cert, "--tls-key", key]);
  expect(server.url).toMatch(/^https:/);
  expect(await healthOf(new URL(server.url).port)).toBe(0);
});

async function healthOf(port: string): Promise<number | null> {
  const env = { PATH: process.env["PATH"], CORTEX_PORT: port };
  const [exitCode] = (await once(
    spawn(process.execPath, [HEALTH_CHECK], { env, stdio: "inherit" }),
    "close",
  )) as [number | null];
  return exitCode;
}
