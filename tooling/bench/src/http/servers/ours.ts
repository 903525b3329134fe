// oxlint-disable-next-line no-restricted-imports -- measured as a server of its own, until there is the program
import { createApp } from "@cortex/hono-server";
import { openRegistry } from "@cortex/model-db";
import { serve } from "@hono/node-server";

const [path, port] = process.argv.slice(2);
const registry = await openRegistry(path!, { actor: "bench" });
serve({ fetch: createApp(registry).fetch, port: Number(port), hostname: "127.0.0.1" });
