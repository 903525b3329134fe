// oxlint-disable-next-line no-restricted-imports -- measured as a server of its own, until there is the program
import { createApp, createNodeServer } from "@cortex/hono-server";
import { openRegistry } from "@cortex/model-db";

const [path, port] = process.argv.slice(2);
const registry = await openRegistry(path!, { actor: "bench" });
createNodeServer(createApp(registry).fetch).listen(Number(port), "127.0.0.1");
