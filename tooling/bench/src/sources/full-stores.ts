import { join } from "node:path";

import {
  addToJan,
  contentOf,
  DockerStore,
  hollowContent,
  HuggingFaceCache,
  OllamaStore,
  RamaLamaStore,
  writeTo,
  type Content,
} from "@cortex/test-stores";

const COMMIT = "c".repeat(40);
// Models differ in size, as real ones do.
const LEAST_BYTES = 2_000_000_000;
const STORES = 7;

/** Stores of seven tools in a home folder. */
export interface FullStores {
  readonly modelCount: number;
  /** Their folders. */
  readonly roots: readonly string[];
}

/**
 * Fills the stores of seven tools, each with as many models, which take no room on the disk. One of a hundred is in two
 * stores.
 *
 * @param home a folder that is not there yet.
 * @param modelCount in all of them together.
 */
export function fillStores(home: string, modelCount: number): FullStores {
  const each = Math.ceil(modelCount / STORES);
  const roots = {
    huggingface: join(home, ".cache/huggingface/hub"),
    ollama: join(home, ".ollama/models"),
    lmStudio: join(home, ".lmstudio/models"),
    llamaCpp: join(home, ".cache/llama.cpp"),
    jan: join(home, ".config/Jan/data"),
    docker: join(home, ".docker/models"),
    ramalama: join(home, ".local/share/ramalama"),
  };
  const [cache, ollama] = [new HuggingFaceCache(roots.huggingface), new OllamaStore(roots.ollama)];
  const [docker, ramalama] = [new DockerStore(roots.docker), new RamaLamaStore(roots.ramalama)];
  for (let index = 0; index < each; index += 1) {
    const files = [
      { path: `model-${index}.Q4_K_M.gguf`, content: content("huggingface", index) },
      { path: "README.md", content: contentOf(`# Model ${index}`), isLarge: false },
    ];
    cache.snapshot(`org-${index % 100}/model-${index}-GGUF`, COMMIT, files, ["main"]);
    ollama.add(`registry.example/library/model-${index}/latest`, {
      model: content("ollama", index),
      template: contentOf("{{ .Prompt }}"),
      license: contentOf("MIT"),
    });
    content("lm-studio", index).write(join(roots.lmStudio, `org-${index % 100}/model-${index}/model.gguf`));
    content("llama.cpp", index).write(join(roots.llamaCpp, `org_model-${index}_model.gguf`));
    writeTo(join(roots.llamaCpp, `org_model-${index}_model.gguf.etag`), `"${index}"`);
    addToJan(roots.jan, `org-${index % 100}/model-${index}`, content("jan", index));
    docker.add([`ai/model-${index}:latest`], content("docker", index));
    const file = { name: "model.gguf", type: "gguf", content: content("ramalama", index) } as const;
    ramalama.add(`ollama/library/model-${index}`, "latest", [file]);
  }
  docker.write();
  return { modelCount: each * STORES, roots: Object.values(roots) };
}

function content(store: string, index: number): Content {
  const name = index % 50 === 0 && store === "ollama" ? `huggingface ${index}` : `${store} ${index}`;
  return hollowContent(name, LEAST_BYTES + Number.parseInt(contentOf(name).sha256.slice(0, 8), 16));
}
