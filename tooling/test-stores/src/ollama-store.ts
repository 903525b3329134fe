import { existsSync } from "node:fs";
import { join } from "node:path";

import { contentOf, writeTo, type Content } from "./content.ts";

/** The layers of a model, by what they are called in their media type: `model`, `template`, `license`, … */
export type OllamaLayers = Readonly<Record<string, Content>>;

/** A store as Ollama lays it out. */
export class OllamaStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Where a blob is. */
  blob({ sha256 }: Pick<Content, "sha256">): string {
    return join(this.#root, "blobs", `sha256-${sha256}`);
  }

  /**
   * Adds a model.
   *
   * @param name `host/namespace/model/tag`.
   * @param config further fields of its configuration.
   */
  add(name: string, layers: OllamaLayers, config: object = {}): void {
    const configuration = contentOf(
      JSON.stringify({
        model_format: "gguf",
        model_family: "llama",
        model_type: "1B",
        file_type: "Q4_K_M",
        ...config,
      }),
    );
    const contents = { config: configuration, ...layers };
    for (const content of Object.values(contents)) {
      if (!existsSync(this.blob(content))) content.write(this.blob(content));
    }
    const manifest = {
      schemaVersion: 2,
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      config: { mediaType: "application/vnd.docker.container.image.v1+json", ...entryOf(configuration) },
      layers: Object.entries(layers).map(([type, content]) => ({
        mediaType: `application/vnd.ollama.image.${type}`,
        ...entryOf(content),
      })),
    };
    writeTo(join(this.#root, "manifests", ...name.split("/")), JSON.stringify(manifest));
  }

  /** Leaves a download behind that has not ended. */
  partial(content: Content, bytes: string): void {
    writeTo(`${this.blob(content)}-partial`, bytes);
    writeTo(
      `${this.blob(content)}-partial-0`,
      JSON.stringify({ N: 0, Offset: 0, Size: content.sizeBytes, Completed: bytes.length }),
    );
  }
}

function entryOf({ sha256, sizeBytes }: Content): { digest: string; size: number } {
  return { digest: `sha256:${sha256}`, size: sizeBytes };
}
