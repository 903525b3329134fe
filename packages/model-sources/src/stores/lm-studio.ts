import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { asObject, asText } from "./json-value.ts";
import { readModelFolder } from "./model-folder.ts";
import type { Store, Surroundings } from "./store.ts";

/** The models of LM Studio: `publisher/repository/file.gguf`, below its home folder or where its settings say. */
export const lmStudio: Store = {
  name: "lm-studio",
  places: (surroundings) => {
    const home = homeOf(surroundings);
    return [downloadsFolder(home) || join(home, "models")];
  },
  // Nothing tells such a folder from any other.
  isLaidOutIn: () => false,
  read: (root, reader) => readModelFolder(root, reader, "lm-studio"),
};

function homeOf({ home }: Surroundings): string {
  const pointed = textOf(join(home, ".lmstudio-home-pointer"))?.trim();
  if (pointed) return pointed;
  const old = join(home, ".cache", "lm-studio");
  return existsSync(old) ? old : join(home, ".lmstudio");
}

function downloadsFolder(home: string): string | undefined {
  const text = textOf(join(home, "settings.json"));
  if (text === undefined) return undefined;
  try {
    return asText(asObject(JSON.parse(text))?.["downloadsFolder"]);
  } catch {
    return undefined;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
