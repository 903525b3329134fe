import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

import { openRegistry } from "@cortex/model-db";

import { EQUAL_WORK, RawWriter } from "../contenders/raw-writer.ts";
import { openRaw } from "../contenders/raw.ts";

// Reads a model.list and inserts its lines with raw statements, in one transaction: load-list.ts <list> <registry> ["at the end"]
// The third argument says when the search text is added.
const [list, path, kind] = process.argv.slice(2);
await (await openRegistry(path!)).close();
const connection = openRaw(path!);
const writer = new RawWriter(connection, { ...EQUAL_WORK, search: kind === "at the end" ? kind : true });
const createdAt = Date.now();
writer.begin();
for await (const line of createInterface({ input: createReadStream(list!) })) {
  const [modelId, authorRepo, branch, configPath, alias] = line.split(" ");
  writer.insert({
    modelId: modelId!,
    sourceType: "huggingface",
    authorRepo: authorRepo!,
    branch: branch!,
    configPath: configPath!,
    alias: alias!,
    createdAt,
    metadata: { line },
  });
}
writer.finish();
connection.close();
