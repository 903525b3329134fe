import { join } from "node:path";

import { LOCAL, type Found, type Origin } from "./found-model.ts";
import { groupFiles } from "./group-files.ts";
import { readHuggingFaceCache } from "./hugging-face-cache.ts";
import { asObject, asText } from "./json-value.ts";
import { toNamedFiles } from "./model-folder.ts";
import type { StoreReader } from "./store-reader.ts";
import type { Store } from "./store.ts";

// What it keeps beside a download: `.etag`, and in some versions `.json` with the URL.
const SIDE_FILE = /\.gguf\.(?:etag|json)$/;
const MANIFEST = /^manifest=([^=]+)=([^=]+)=.*\.json$/;
const DOWNLOAD_URL = /^https:\/\/(?:huggingface\.co|hf\.co)\/([^/]+\/[^/]+)\/resolve\/([^/]+)\//;

/**
 * The cache of llama.cpp: today the layout of Hugging Face, in the same place unless `LLAMA_CACHE` says another; before
 * that flat, `<user>_<repository>_<file>.gguf`.
 */
export const llamaCpp: Store = {
  name: "llama.cpp",
  places: ({ env, home, platform }) => {
    if (env["LLAMA_CACHE"]) return [env["LLAMA_CACHE"]];
    const caches =
      platform === "darwin"
        ? join(home, "Library", "Caches")
        : platform === "win32"
          ? env["LOCALAPPDATA"] || join(home, "AppData", "Local")
          : env["XDG_CACHE_HOME"] || join(home, ".cache");
    return [join(caches, "llama.cpp")];
  },
  isLaidOutIn: (root, reader) =>
    reader.list(root).some(({ name }) => SIDE_FILE.test(name) || MANIFEST.test(name)),
  read: readLlamaCpp,
};

async function* readLlamaCpp(root: string, reader: StoreReader): AsyncGenerator<Found, undefined> {
  yield* readHuggingFaceCache(root, reader, "llama.cpp");
  const entries = reader.list(root).filter((entry) => !entry.isDirectory());
  const repositories = entries.flatMap(({ name }) => {
    const [, author, repository] = MANIFEST.exec(name) ?? [];
    return repository === undefined ? [] : [`${author}/${repository}`];
  });
  const named = entries.map(({ name }) => ({ relativePath: name, path: join(root, name), isLink: false }));
  for (const group of groupFiles(toNamedFiles(named, reader))) {
    await reader.rest();
    const origin = originOf(group.name, root, repositories, reader);
    const file = group.name.slice(origin.authorRepo === null ? 0 : origin.authorRepo.length + 1);
    const parts = origin.authorRepo === null ? [] : origin.authorRepo.split("/");
    const modelId = [...parts, file].join(":");
    yield { kind: "model", store: "llama.cpp", storePath: root, ...group, modelId, origin };
  }
  yield* reader.takeFindings();
}

/** Where it came from, if what lies beside it says so: its name alone cannot be taken apart. */
function originOf(name: string, root: string, repositories: readonly string[], reader: StoreReader): Origin {
  const said = asObject(reader.json(join(root, `${name}.json`)));
  const [, downloaded, branch = "main"] = DOWNLOAD_URL.exec(asText(said?.["url"]) ?? "") ?? [];
  const authorRepo =
    downloaded ?? repositories.find((repository) => name.startsWith(`${repository.replace("/", "_")}_`));
  if (authorRepo === undefined || !name.startsWith(`${authorRepo.replace("/", "_")}_`)) return LOCAL;
  return { sourceType: "huggingface", authorRepo, branch, commit: null };
}
