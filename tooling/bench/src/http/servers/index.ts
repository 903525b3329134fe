import { join } from "node:path";

import { ServerProcess } from "../server-process.ts";

const PROGRAM = join(import.meta.dirname, "../../../../../apps/hono-server/src/main.ts");
const PEERS = {
  bare: "bare.ts",
  fastify: "fastify.ts",
  honoJson: "hono-json.ts",
  honoKysely: "hono-kysely.ts",
  honoWriter: "hono-writer.ts",
  nodeWriter: "node-writer.ts",
} as const;

/** Starts the service over a registry, as it is when nobody says anything else. */
export function startOurs(registry: string): Promise<ServerProcess> {
  return ServerProcess.start((port) => [PROGRAM, "--db", registry, "--port", String(port)]);
}

/** Starts what it is compared with over a registry. */
export function startPeer(name: keyof typeof PEERS, registry: string): Promise<ServerProcess> {
  return ServerProcess.start((port) => [join(import.meta.dirname, PEERS[name]), registry, String(port)]);
}
