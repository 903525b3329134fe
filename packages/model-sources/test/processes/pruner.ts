// Prunes the registry in argv[2] of everything that may go, until it is killed; says when it has begun to delete.
import { openRegistry } from "@cortex/model-db";

import { modelFolders, planPrune, prune } from "../../src/index.ts";

const registry = await openRegistry(process.argv[2]!, { actor: "pruner" });
const folders = await modelFolders({}, registry.location);
const plan = await planPrune(registry, folders, { unusedSince: Date.now() + 86_400_000 });
process.stdout.write("begun\n");
await prune(registry, folders, plan);
await registry.close();
