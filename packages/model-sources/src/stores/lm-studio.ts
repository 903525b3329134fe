import { join } from "node:path";

import { asObject, asText } from "./json-value.ts";
import { readModelFolder } from "./model-folder.ts";
import type { StoreReader } from "./store-reader.ts";
import type { Store, Surroundings } from "./store.ts";

/** The models of LM Studio: `publisher/repository/file.gguf`, below its home folder or where its settings say. */
export const lmStudio: Store = {
  name: "lm-studio",
  places: (surroundings, reader) => {
    const home = homeOf(surroundings, reader);
    const settings = asObject(reader.json(join(home, "settings.json")));
    return [asText(settings?.["downloadsFolder"]) || join(home, "models")];
  },
  // Nothing tells such a folder from any other.
  isLaidOutIn: () => false,
  read: (root, reader) => readModelFolder(root, reader, "lm-studio"),
};

function homeOf({ home }: Surroundings, reader: StoreReader): string {
  const pointed = reader.text(join(home, ".lmstudio-home-pointer"))?.trim();
  if (pointed) return pointed;
  const old = join(home, ".cache", "lm-studio");
  return reader.isFolder(old) ? old : join(home, ".lmstudio");
}
