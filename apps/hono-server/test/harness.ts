import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openRegistry, type Registry } from "@cortex/model-db";
import { serve } from "@hono/node-server";
import { test as base } from "vitest";

import { createApp, type App, type AppOptions } from "../src/index.ts";

interface Service {
  readonly registry: Registry;
  readonly app: App;
  /** Where it answers, without a slash at the end. */
  readonly url: string;
}

/** Serves a new registry over a real socket until disposed of. */
export async function startService(options: AppOptions = {}): Promise<Service & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), "hono-server-"));
  const registry = await openRegistry(join(folder, "registry.db"), { actor: "test" });
  const app = createApp(registry, options);
  const { server, port } = await new Promise<{ server: ReturnType<typeof serve>; port: number }>(
    (resolve) => {
      const started = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, (address) =>
        resolve({ server: started, port: address.port }),
      );
    },
  );
  return {
    registry,
    app,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await new Promise((closed) => {
        server.close(closed);
        if ("closeAllConnections" in server) server.closeAllConnections();
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
