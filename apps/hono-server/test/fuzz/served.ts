/** Serves the registry at a path, and says on each line of stdin how much memory it holds once its garbage is gone. */
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";

import { openRegistry } from "@cortex/model-db";

import { createApp, createNodeServer } from "../../src/index.ts";

const registry = await openRegistry(process.argv[2]!, { actor: "fuzz" });
const server = createNodeServer(createApp(registry));
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));

for await (const _ of createInterface({ input: process.stdin })) {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc!();
    // What waits for finalizers is gone a turn later.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  console.log(JSON.stringify({ heldBytes: heapUsed + external + arrayBuffers, residentBytes: rss }));
}
server.closeAllConnections();
server.close();
await registry.close();
