import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";

import { startTestHub, type TestHub } from "@cortex/test-hub";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Hub } from "../../src/hub/hub.ts";
import { parseReference } from "../../src/reference/model-reference.ts";

let server: TestHub;
let proxy: Server;
let asked: string[];

beforeEach(async () => {
  server = await startTestHub();
  server.commit("org/repo", { "a.gguf": "GGUF" });
  asked = [];
  proxy = createServer();
  proxy.on("connect", (request: IncomingMessage, client: Socket) => {
    const [host, port] = (request.url ?? "").split(":");
    asked.push(`${host}:${port}`);
    const target = connect(Number(port), host, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) socket.on("error", () => target.destroy());
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  for (const name of ["http_proxy", "HTTP_PROXY"]) vi.stubEnv(name, url);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  proxy.close();
  proxy.closeAllConnections();
  await server[Symbol.asyncDispose]();
});

test("a proxy of the environment is used", async () => {
  await using hub = new Hub({ endpoint: server.endpoint, privateHosts: ["127.0.0.1"] });
  await hub.resolve(parseReference("org/repo"));
  expect(new Set(asked)).toEqual(new Set([new URL(server.endpoint).host]));
  expect(await hub.http.openDirect(new URL(server.endpoint))).toBeUndefined();
});

test("but not for a host that NO_PROXY names", async () => {
  vi.stubEnv("NO_PROXY", "127.0.0.1");
  vi.stubEnv("no_proxy", "127.0.0.1");
  await using hub = new Hub({ endpoint: server.endpoint, privateHosts: ["127.0.0.1"] });
  await hub.resolve(parseReference("org/repo"));
  expect(asked).toEqual([]);
});

test("one that can be none is named by its variable, and not by what may be a password in it", () => {
  vi.stubEnv("http_proxy", "me:secret@proxy:3128");
  expect(() => new Hub()).toThrow(/^http_proxy must be the URL of a proxy(?!.*secret)/);
});

test("and not to reach an address that is not public", async () => {
  await using hub = new Hub({ endpoint: server.endpoint });
  await expect(hub.resolve(parseReference("org/repo"))).rejects.toMatchObject({ code: "permission_denied" });
  expect(asked).toEqual([]);
});
