// Makes every kind of change to a new registry and prints which queries had to be compiled for it.
import { openRegistry } from "@cortex/model-db";

import { compiledQueries } from "../../src/database/sqlite/compile.ts";

await using registry = await openRegistry(process.argv[2]!);
const { models, files, runs } = registry;
await models.create({
  modelId: "h/a/b/c.gguf",
  sourceType: "local",
  files: [{ path: "/c.gguf", role: "weights" }],
});
await models.createMany([{ modelId: "d/a/b/c.gguf", sourceType: "huggingface", tags: ["chat"] }]);
await models.update("c", { notes: "x", metadata: { a: 1 }, pinned: true, sizeBytes: 1, engine: "e" });
await models.update("c", { authorRepo: "r", tags: ["t"], aliases: ["f"] });
await models.changeTags("c", { add: ["u"], remove: ["t"] });
await models.changeAliases("c", { add: ["g"], remove: ["f"] });
await models.repointAlias("g", "d/a/b/c.gguf");
await files.put("c", { path: "/d.yml", role: "config" });
await files.delete("c", "/d.yml");
const run = await runs.acquire("c", { holder: "engine" });
await runs.renew(run.token);
await models.update("c", { notes: "y" }, { leaseToken: run.token });
await runs.release(run.token);
await registry.transaction(async (tx) => {
  await tx.models.update("c", { branch: "main" });
});
await models.delete("c");
console.log(JSON.stringify([...compiledQueries().keys()]));
