/** Serves a registry on a port until it is killed, making as many changes as each line on stdin asks for. */
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";

import { openRegistry } from "@cortex/model-db";

import { createApp, createNodeServer, type AppOptions } from "../../src/index.ts";

const { location, port, options } = JSON.parse(process.argv[2]!) as {
  location: string;
  port: number;
  options?: AppOptions;
};
const registry = await openRegistry(location, { actor: "service" });
const app = createApp(registry, options);
const server = createNodeServer(app);
server.listen(port, "127.0.0.1", () => say("port", (server.address() as AddressInfo).port));

let made = await registry.models.count();
let mostBytes = 0;
setInterval(() => {
  mostBytes = Math.max(mostBytes, process.memoryUsage.rss());
}, 20).unref();
for await (const line of createInterface({ input: process.stdin })) {
  for (let left = Number(line); left > 0; left--) {
    await registry.models.create({ modelId: `model ${++made}`, sourceType: "local", alias: null });
  }
  say("made", made);
  say("mostBytes", mostBytes);
}

function say(word: string, value: number): void {
  process.stdout.write(`${word} ${value}\n`);
}
