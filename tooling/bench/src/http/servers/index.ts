import { join } from "node:path";

import { ServerProcess } from "../server-process.ts";

const SCRIPTS = {
  bare: "bare.ts",
  fastify: "fastify.ts",
  honoJson: "hono-json.ts",
  honoKysely: "hono-kysely.ts",
  ours: "ours.ts",
} as const;

/** A server of the benchmark. */
export type ServerName = keyof typeof SCRIPTS;

/** Starts a server over a registry. */
export function startServer(name: ServerName, registry: string): Promise<ServerProcess> {
  return ServerProcess.start((port) => [join(import.meta.dirname, SCRIPTS[name]), registry, String(port)]);
}
