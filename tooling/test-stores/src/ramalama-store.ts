import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { contentOf, writeTo, type Content } from "./content.ts";

/** A file of a model of RamaLama. */
export interface RamaLamaFile {
  readonly name: string;
  readonly type: "gguf" | "mmproj" | "chat_template" | "safetensor" | "other";
  readonly content: Content;
}

/** A store as RamaLama lays it out. */
export class RamaLamaStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** The folder of a model. @param name `source/organisation/name` */
  folder(name: string): string {
    return join(this.#root, "store", ...name.split("/"));
  }

  /** Where a blob is. */
  blob(name: string, { sha256 }: Pick<Content, "sha256">): string {
    return join(this.folder(name), "blobs", `sha256-${sha256}`);
  }

  /** Adds a tag of a model. */
  add(name: string, tag: string, files: readonly RamaLamaFile[]): void {
    const folder = this.folder(name);
    const hash = `sha256-${contentOf(`${name}:${tag}`).sha256}`;
    for (const file of files) {
      const blob = this.blob(name, file.content);
      if (!existsSync(blob)) file.content.write(blob);
      const link = join(folder, "snapshots", hash, file.name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(relative(dirname(link), blob), link);
    }
    const path = join(folder, "refs", `${tag}.json`);
    const said = files.map(({ name: file, type, content }) => ({
      hash: `sha256:${content.sha256}`,
      name: file,
      type,
    }));
    writeTo(path, JSON.stringify({ files: said, hash, path, version: "v1.0.1" }, null, 2));
  }
}
