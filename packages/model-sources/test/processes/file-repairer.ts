// Repairs the files of the registry in argv[2], fetching from the hub in argv[3], until it is killed.
import { openRegistry } from "@cortex/model-db";

import { Hub, modelFolders, verifyModels } from "../../src/index.ts";

const registry = await openRegistry(process.argv[2]!, { actor: "repairer" });
const folders = await modelFolders({}, registry.location);
const hub = new Hub({ endpoint: process.argv[3], privateHosts: ["127.0.0.1", "localhost"] });
for await (const { files } of verifyModels(registry, { repair: { hub, folders } }))
  process.stdout.write(`${JSON.stringify(files)}\n`);
await registry.close();
