import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import type { Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createSecureContext } from "node:tls";

import { RegistryError } from "@cortex/model-db";

import { createNodeServer, type Served } from "../guard/node-server.ts";
import type { Settings } from "./settings.ts";

/** Where the program listens, until closed. */
export interface Listener {
  /** For people: `http://127.0.0.1:39281`, `unix:/run/cortex.sock`. */
  readonly address: string;
  /** Uses the certificate that these settings name from now on. @throws RegistryError as {@link listen} */
  renewCertificate(settings: Settings): void;
  /**
   * Stops accepting and lets what is under way finish.
   *
   * @param graceMs how long, in milliseconds; then connections are cut.
   * @returns how many were cut.
   */
  close(graceMs: number): Promise<number>;
}

const DRAIN_LOOK_MS = 50;
const SOCKET_UMASK = 0o177;

/**
 * Listens on an address and port, or on a unix socket. A socket that a program left behind is replaced.
 *
 * @throws RegistryError `io_error` where that is not possible or somebody listens there, `not_found` where a
 *   file or the socket's folder is not there, `invalid_input` for a certificate that is none.
 */
export async function listen(
  at: { readonly host: string; readonly port: number } | { readonly path: string },
  settings: Settings,
  app: Served,
): Promise<Listener> {
  // A unix socket stays on the machine: nobody can listen in.
  const isTls = settings.tlsCert !== undefined && !("path" in at);
  const server = createNodeServer(app, isTls ? readCertificate(settings) : undefined);
  if ("path" in at) await clearSocket(at.path);
  await started(server, at);
  return {
    address: "path" in at ? `unix:${at.path}` : urlOf(server.address() as AddressInfo, isTls),
    renewCertificate(next) {
      if (isTls && "setSecureContext" in server) server.setSecureContext(readCertificate(next));
    },
    close: (graceMs) => drain(server, graceMs),
  };
}

async function started(server: Server, at: Parameters<typeof listen>[0]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).once("listening", resolve);
  if ("path" in at) {
    // Nobody else may connect, from its first moment on.
    const before = process.umask(SOCKET_UMASK);
    server.listen(at.path);
    process.umask(before);
  } else {
    server.listen(at.port, at.host);
  }
  try {
    await promise;
  } catch (error) {
    throw cannotListen(error as NodeJS.ErrnoException, at);
  }
}

function cannotListen({ code }: NodeJS.ErrnoException, at: Parameters<typeof listen>[0]): RegistryError {
  if ("path" in at) {
    return new RegistryError("io_error", `The socket ${at.path} cannot be made (${code}).`);
  }
  const where = `${at.host} port ${at.port}`;
  switch (code) {
    case "EADDRINUSE":
      return new RegistryError(
        "io_error",
        `Another program listens on ${where}, perhaps another cortex-server: end it, or take another --port.`,
      );
    case "EACCES":
      return new RegistryError("io_error", `Your user may not listen on ${where}: take a --port above 1023.`);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new RegistryError("io_error", `This machine has no address ${at.host}: take another --host.`);
    default:
      return new RegistryError("io_error", `It is not possible to listen on ${where} (${code}).`);
  }
}

/** Makes room for a socket, where a program that is gone left one. */
async function clearSocket(path: string): Promise<void> {
  if (!existsSync(dirname(path))) {
    throw new RegistryError("not_found", `There is no folder ${dirname(path)} for the socket: make it.`);
  }
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) {
    throw new RegistryError("io_error", `${path} is there already and no socket: take another --socket.`);
  }
  const isLive = await new Promise<boolean>((resolve) => {
    const probe = connect(path)
      .once("connect", () => resolve(true))
      .once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "ECONNREFUSED"));
    probe.once("close", () => probe.destroy()).setTimeout(1000, () => resolve(true));
  });
  if (isLive) {
    throw new RegistryError(
      "io_error",
      `Another program listens on the socket ${path}, perhaps another cortex-server: end it, or take another --socket.`,
    );
  }
  rmSync(path, { force: true });
}

function readCertificate({ tlsCert, tlsKey }: Settings): { cert: Buffer; key: Buffer } {
  const pair = { cert: readPem(tlsCert!), key: readPem(tlsKey!) };
  try {
    createSecureContext(pair);
  } catch (error) {
    throw new RegistryError(
      "invalid_input",
      `${tlsCert} and ${tlsKey} are no certificate and its key in PEM (${(error as Error).message}).`,
    );
  }
  return pair;
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new RegistryError("not_found", `There is no file ${file}.`);
    throw new RegistryError("io_error", `${file} cannot be read (${code}).`);
  }
}

function urlOf({ address, family, port }: AddressInfo, isTls: boolean): string {
  return `${isTls ? "https" : "http"}://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

async function drain(server: Server, graceMs: number): Promise<number> {
  const closed = new Promise<true>((resolve) => server.close(() => resolve(true)));
  const deadline = Date.now() + graceMs;
  while (Date.now() < deadline) {
    // A connection that is kept alive is idle once its answer is out.
    server.closeIdleConnections();
    if ((await Promise.race([closed, sleep(DRAIN_LOOK_MS)])) === true) return 0;
  }
  const left = await connectionsOf(server);
  server.closeAllConnections();
  await closed;
  return left;
}

async function connectionsOf(server: Server): Promise<number> {
  return await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
}
