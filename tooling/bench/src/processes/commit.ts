import { openRegistry } from "@cortex/model-db";

import { aliasAt } from "../dataset.ts";

// Makes a number of commits, one after the other: commit.ts <registry> <commits>
const [path, commits] = process.argv.slice(2);
const registry = await openRegistry(path!, { mode: "write", actor: "bench" });
for (let index = 0; index < Number(commits); index++) {
  await registry.models.update(aliasAt(0), { notes: `note ${index}` });
}
await registry.close();
