import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { writeTo } from "@cortex/test-stores";
import { describe, expect, test } from "vitest";

import { findStores } from "../../src/stores/all-stores.ts";
import { StoreReader } from "../../src/stores/store-reader.ts";
import { StoreFolder } from "./store-folder.ts";

/** The stores that are found in a home folder with these folders in it, as `name path`. */
function placesIn(
  folder: StoreFolder,
  made: readonly string[],
  env: Readonly<Record<string, string>> = {},
  platform: NodeJS.Platform = "linux",
): string[] {
  for (const name of made) mkdirSync(folder.at(name), { recursive: true });
  const said = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, join(folder.path, value)]),
  );
  return findStores({ env: said, home: folder.path, platform }, [], new StoreReader())
    .map(({ store, path }) => `${store.name} ${path.slice(folder.path.length + 1)}`)
    .filter((place) => !place.includes(" usr/share/"));
}

describe("stores are looked for where their tools keep them:", () => {
  test.each([
    ["huggingface .cache/huggingface/hub", {}],
    ["huggingface xdg/huggingface/hub", { XDG_CACHE_HOME: "xdg" }],
    ["huggingface home/hub", { HF_HOME: "home", XDG_CACHE_HOME: "xdg" }],
    ["huggingface old", { HUGGINGFACE_HUB_CACHE: "old", HF_HOME: "home" }],
    ["huggingface new", { HF_HUB_CACHE: "new", HUGGINGFACE_HUB_CACHE: "old", HF_HOME: "home" }],
    ["ollama .ollama/models", {}],
    ["ollama elsewhere", { OLLAMA_MODELS: "elsewhere" }],
    ["lm-studio .lmstudio/models", {}],
    ["llama.cpp .cache/llama.cpp", {}],
    ["llama.cpp elsewhere", { LLAMA_CACHE: "elsewhere" }],
    ["jan .config/Jan/data", {}],
    ["jan .local/share/Jan/data", {}],
    ["docker .docker/models", {}],
    ["docker elsewhere", { MODELS_PATH: "elsewhere" }],
    ["ramalama .local/share/ramalama", {}],
    ["ramalama elsewhere", { RAMALAMA_STORE: "elsewhere" }],
    ["cortex.cpp .local/share/cortexcpp/models", {}],
    ["cortex.cpp cortexcpp-nightly/models", {}],
  ])("%s", (place, env) => {
    using folder = new StoreFolder();
    expect(placesIn(folder, [place.slice(place.indexOf(" ") + 1)], env)).toEqual([place]);
  });

  test.each([
    ["llama.cpp Library/Caches/llama.cpp", {}, "darwin"],
    ["jan Library/Application Support/Jan/data", {}, "darwin"],
    ["llama.cpp local/llama.cpp", { LOCALAPPDATA: "local" }, "win32"],
    ["jan roaming/Jan/data", { APPDATA: "roaming" }, "win32"],
  ] as const)("%s elsewhere than on Linux", (place, env, platform) => {
    using folder = new StoreFolder();
    expect(placesIn(folder, [place.slice(place.indexOf(" ") + 1)], env, platform)).toEqual([place]);
  });

  test("what LM Studio and the old cortex program write down about it", () => {
    using folder = new StoreFolder();
    writeTo(folder.at(".lmstudio-home-pointer"), `${folder.at("lm")}\n`);
    writeTo(folder.at("lm/settings.json"), JSON.stringify({ downloadsFolder: folder.at("downloads") }));
    writeTo(folder.at(".cortexrc"), `\ufeffdataFolderPath: ${folder.at("data")}\nport: 39281\n`);
    expect(placesIn(folder, ["downloads", "data/models"])).toEqual([
      "lm-studio downloads",
      "cortex.cpp data/models",
    ]);
  });

  test("the older home of LM Studio, if it is there", () => {
    using folder = new StoreFolder();
    const places = placesIn(folder, [".cache/lm-studio/models", ".lmstudio/models"]);
    expect(places).toEqual(["lm-studio .cache/lm-studio/models"]);
  });

  test("a place of two tools, or under two names, is one", () => {
    using folder = new StoreFolder();
    mkdirSync(folder.at("hub"));
    symlinkSync("hub", folder.at("link"));
    expect(placesIn(folder, [], { HF_HUB_CACHE: "hub", LLAMA_CACHE: "link" })).toEqual(["huggingface hub"]);
  });
});
