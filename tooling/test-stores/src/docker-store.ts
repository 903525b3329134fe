import { existsSync, linkSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { contentOf, writeTo, type Content } from "./content.ts";

const OCI = "application/vnd.oci.image.manifest.v1+json";
const DOCKER = "application/vnd.docker.ai";

/** A store as Docker Model Runner lays it out. */
export class DockerStore {
  readonly #root: string;
  readonly #models: { id: string; tags: readonly string[]; files: string[] }[] = [];

  constructor(root: string) {
    this.#root = root;
    writeTo(join(root, "layout.json"), JSON.stringify({ version: "1.0.0" }));
    this.write();
  }

  /** Where a blob is. */
  blob({ sha256 }: Pick<Content, "sha256">): string {
    return join(this.#root, "blobs", "sha256", sha256);
  }

  /** Adds a model, and unpacks it as for running. Call {@link write} afterwards. @returns its digest */
  add(tags: readonly string[], weights: Content, others: Readonly<Record<string, Content>> = {}): string {
    const config = contentOf(JSON.stringify({ config: { format: "gguf" }, files: [weights.sha256] }));
    const layers = { "gguf.v3": weights, ...others };
    for (const content of [config, ...Object.values(layers)]) {
      if (!existsSync(this.blob(content))) content.write(this.blob(content));
    }
    const manifest = contentOf(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI,
        config: { mediaType: `${DOCKER}.model.config.v0.1+json`, ...entryOf(config) },
        layers: Object.entries(layers).map(([type, content]) => ({
          mediaType: `${DOCKER}.${type}`,
          ...entryOf(content),
        })),
      }),
    );
    manifest.write(join(this.#root, "manifests", "sha256", manifest.sha256));
    const files = [...Object.values(layers), config].map(({ sha256 }) => `sha256:${sha256}`);
    this.#models.push({ id: `sha256:${manifest.sha256}`, tags, files });
    const bundle = join(this.#root, "bundles", "sha256", manifest.sha256, "model");
    mkdirSync(bundle, { recursive: true });
    linkSync(this.blob(weights), join(bundle, "model.gguf"));
    return manifest.sha256;
  }

  /** Writes the index of the models. */
  write(): void {
    writeTo(join(this.#root, "models.json"), JSON.stringify({ models: this.#models }, null, 2));
  }
}

function entryOf({ sha256, sizeBytes }: Content): { digest: string; size: number } {
  return { digest: `sha256:${sha256}`, size: sizeBytes };
}
