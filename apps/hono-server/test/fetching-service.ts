import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Hub, modelFolders, TransferWorker } from "@cortex/model-sources";
import { startTestHub, type TestHub } from "@cortex/test-hub";
import { llamaFile } from "@cortex/test-models";
import { test as base } from "vitest";

import { startService } from "./harness.ts";

type Service = Awaited<ReturnType<typeof startService>>;

/** A service that fetches from a hub of the tests. */
export interface FetchingService extends Service {
  readonly remote: TestHub;
  /** The folder that models are fetched to. */
  readonly models: string;
  /** A folder from which models may be imported. */
  readonly imports: string;
  /** Begins to do the work of transfers. */
  work(): void;
}

export interface FetchingOptions {
  /** Hosts that may be asked though they are of a private network; the hub of the tests when left out. */
  readonly privateHosts?: readonly string[];
}

/** Serves a new registry with a hub until disposed of. */
export async function startFetchingService({
  privateHosts = ["127.0.0.1"],
}: FetchingOptions = {}): Promise<FetchingService> {
  const folder = mkdtempSync(join(tmpdir(), "fetching-"));
  const [models, imports] = [join(folder, "models"), join(folder, "imports")];
  const remote = await startTestHub();
  const hub = new Hub({
    endpoint: remote.endpoint,
    privateHosts,
    retries: { count: 1, firstDelayMs: 10 },
  });
  let worker: TransferWorker | undefined;
  const service = await startService({
    heartbeatMs: 300,
    sources: {
      hub,
      folders: () => modelFolders({ CORTEX_MODELS: models }, "registry.db"),
      importFolders: [imports],
      wake: () => worker?.wake(),
    },
  });
  return {
    ...service,
    remote,
    models,
    imports,
    work() {
      worker ??= new TransferWorker(service.registry, { hub, concurrency: 2 });
    },
    async [Symbol.asyncDispose]() {
      await worker?.end();
      await service[Symbol.asyncDispose]();
      await hub[Symbol.asyncDispose]();
      await remote[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A test with a service of its own that fetches, from a hub with `org/repo`. */
export const test = base.extend<{ service: FetchingService }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads the names of fixtures from here
  service: async ({}, use) => {
    await using service = await startFetchingService();
    service.remote.commit("org/repo", { "m.gguf": llamaFile() });
    await use(service);
  },
});
