import { existsSync, symlinkSync, mkdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { writeTo, type Content } from "./content.ts";

/** A file of a repository. */
export interface RepositoryFile {
  readonly path: string;
  readonly content: Content;
  /** Whether it is in Git LFS, as files larger than 10 MB are: its blob is then called by its SHA-256. */
  readonly isLarge?: boolean;
}

/** A cache as huggingface_hub lays it out. */
export class HuggingFaceCache {
  readonly #root: string;
  readonly #hasLinks: boolean;

  /** @param options.hasLinks `false`: as on Windows without the right to make links */
  constructor(root: string, { hasLinks = true }: { readonly hasLinks?: boolean } = {}) {
    this.#root = root;
    this.#hasLinks = hasLinks;
    writeTo(join(root, "CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n");
    mkdirSync(join(root, ".locks"), { recursive: true });
  }

  /** The folder of a repository. */
  folder(repo: string): string {
    return join(this.#root, `models--${repo.replaceAll("/", "--")}`);
  }

  /** Where a file of a snapshot is. */
  path(repo: string, commit: string, path: string): string {
    return join(this.folder(repo), "snapshots", commit, path);
  }

  /** Adds a snapshot, and points branches at it. */
  snapshot(
    repo: string,
    commit: string,
    files: readonly RepositoryFile[],
    branches: readonly string[] = [],
  ): void {
    for (const { path, content, isLarge = true } of files) {
      const name = this.path(repo, commit, path);
      if (!this.#hasLinks) {
        content.write(name);
        continue;
      }
      const blob = join(this.folder(repo), "blobs", isLarge ? content.sha256 : content.gitSha1);
      if (!existsSync(blob)) content.write(blob);
      mkdirSync(dirname(name), { recursive: true });
      symlinkSync(relative(dirname(name), blob), name);
    }
    for (const branch of branches) writeTo(join(this.folder(repo), "refs", branch), commit);
  }

  /** Leaves a download behind that has not ended. */
  incomplete(repo: string, content: Content, bytes: string): void {
    writeTo(join(this.folder(repo), "blobs", `${content.sha256}.incomplete`), bytes);
  }
}
