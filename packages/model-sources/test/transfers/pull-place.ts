import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openRegistry, type Registry, type Transfer } from "@cortex/model-db";
import { startTestHub, type TestHub } from "@cortex/test-hub";

import { Hub, modelFolders, requestPull, type PullOptions } from "../../src/index.ts";

/** A hub, a registry that is new, and a models folder beside it. */
export class PullPlace implements AsyncDisposable {
  readonly folder: string;
  readonly server: TestHub;
  readonly hub: Hub;
  readonly registry: Registry;

  private constructor(folder: string, server: TestHub, registry: Registry) {
    this.folder = folder;
    this.server = server;
    this.registry = registry;
    this.hub = hubAt(server.endpoint);
  }

  static async make(): Promise<PullPlace> {
    const folder = mkdtempSync(join(tmpdir(), "transfers-"));
    const registry = await openRegistry(join(folder, "registry.db"), { actor: "tester" });
    return new PullPlace(folder, await startTestHub(), registry);
  }

  /** The path of something in the models folder. */
  models(...parts: string[]): string {
    return join(this.folder, "models", ...parts);
  }

  async options(more: Partial<PullOptions> = {}): Promise<PullOptions> {
    return { hub: this.hub, folders: await modelFolders({}, this.registry.location), ...more };
  }

  /** Asks for a pull of something that is not here yet. */
  async request(reference: string, more: Partial<PullOptions> = {}): Promise<Transfer> {
    const asked = await requestPull(this.registry, reference, await this.options(more));
    if ("model" in asked) throw new Error(`${reference} is here already.`);
    return asked.transfer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry.close();
    await this.hub[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A client of a hub of the tests, which does not wait long before it tries again. */
function hubAt(url: string): Hub {
  return new Hub({
    endpoint: url,
    privateHosts: ["127.0.0.1", "localhost"],
    retries: { count: 2, firstDelayMs: 10 },
  });
}
