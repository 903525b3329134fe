import { mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openRegistry, type Registry } from "@cortex/model-db";
import { test as base } from "vitest";

import { createApp, createNodeServer, type App, type AppOptions } from "../src/index.ts";

interface Service {
  readonly registry: Registry;
  readonly app: App;
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly server: Server;
}

/** Serves a new registry over a real socket until disposed of. */
export async function startService(options: AppOptions = {}): Promise<Service & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), "hono-server-"));
  const registry = await openRegistry(join(folder, "registry.db"), { actor: "test" });
  const app = createApp(registry, options);
  const server = createNodeServer(app.fetch);
  await new Promise<void>((listening) => {
    server.listen(0, "127.0.0.1", listening);
  });
  const { port } = server.address() as AddressInfo;
  return {
    registry,
    app,
    url: `http://127.0.0.1:${port}`,
    port,
    server,
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
