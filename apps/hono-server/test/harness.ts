import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openRegistry, type Registry } from "@cortex/model-db";
import { test as base } from "vitest";

import { createClient, type Client } from "../src/client.ts";
import { createApp, createNodeServer, type App, type AppOptions } from "../src/index.ts";
import { checkedFetch } from "./checked-fetch.ts";

interface Service {
  readonly registry: Registry;
  readonly app: App;
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** Asks it, and holds each answer against its documentation. */
  readonly client: Client;
}

/** Serves a new registry over a real socket until disposed of. */
export async function startService(options: AppOptions = {}): Promise<Service & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), "hono-server-"));
  const registry = await openRegistry(join(folder, "registry.db"), { actor: "test" });
  const app = createApp(registry, options);
  const server = createNodeServer(app);
  await new Promise<void>((listening) => {
    server.listen(0, "127.0.0.1", listening);
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    registry,
    app,
    url,
    port,
    server,
    client: createClient({ url, fetch: checkedFetch }),
    async [Symbol.asyncDispose]() {
      await new Promise((closed) => {
        server.close(closed);
        server.closeAllConnections();
      });
      await registry.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A test with a service of its own. */
export const test = base.extend<{ service: Service }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads the names of fixtures from here
  service: async ({}, use) => {
    await using service = await startService();
    await use(service);
  },
});
