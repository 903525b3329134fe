/** Keeps a list in a text file as the old program did: the file is cut to nothing and written anew. */
import { hash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { LIST_FILE } from "../power/judge-list.ts";
import { acknowledge } from "./acknowledge.ts";

const { folder, changes } = JSON.parse(process.argv[2]!) as { folder: string; changes: number };
let list = "";
for (let position = 1; position <= changes; position++) {
  list += `huggingface.co/lab/model-${position} lab main /models/${position}/${"p".repeat(400)}.yml m${position}\n`;
  writeFileSync(join(folder, LIST_FILE), list);
  acknowledge({ of: "list", position, digest: hash("sha1", list, "hex") });
}
