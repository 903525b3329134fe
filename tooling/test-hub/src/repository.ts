import { createHash } from "node:crypto";

import { Content, type ContentSource } from "./content.ts";

export type Visibility = "public" | "gated" | "private";

/** A repository of the hub: its branches, and what each commit held. */
export class Repository {
  readonly name: string;
  readonly createdAt: string = "2024-01-02T03:04:05.000Z";
  visibility: Visibility = "public";
  readonly #branches = new Map<string, string>();
  readonly #commits = new Map<string, Map<string, Content>>();

  constructor(name: string) {
    this.name = name;
  }

  /** Makes a commit with exactly these files, the new head of a branch. @returns its id. */
  commit(branch: string, files: Readonly<Record<string, ContentSource>>): string {
    const contents = new Map(
      Object.entries(files).map(([path, source]) => [path, new Content(path, source)] as const),
    );
    const parent = this.#branches.get(branch) ?? "";
    const text = [...contents].map(([path, { oid }]) => `${oid} ${path}`).join("\n");
    const id = createHash("sha1").update(`${parent}\n${this.name}\n${branch}\n${text}`).digest("hex");
    this.#commits.set(id, contents);
    this.#branches.set(branch, id);
    return id;
  }

  /** The commit that a branch or the beginning of a commit means. */
  commitOf(revision: string): string | undefined {
    const branch = revision === "HEAD" ? "main" : revision;
    const head = this.#branches.get(branch);
    if (head !== undefined || !/^[0-9a-f]{7,40}$/.test(revision)) return head;
    return [...this.#commits.keys()].find((id) => id.startsWith(revision));
  }

  filesOf(commit: string): Map<string, Content> {
    return this.#commits.get(commit) ?? new Map<string, Content>();
  }

  /** Every content of every commit. */
  contents(): Content[] {
    return [...this.#commits.values()].flatMap((files) => [...files.values()]);
  }

  /** Puts other content under the name of a file of a commit, as no hub should. */
  corrupt(commit: string, path: string, source: ContentSource): void {
    this.filesOf(commit).set(path, new Content(path, source));
  }

  /** Splits `<revision>/<path>`, where both may hold slashes. */
  split(text: string): { readonly revision: string; readonly path: string } {
    const parts = text.split("/");
    for (let count = parts.length; count > 0; count--) {
      const revision = parts.slice(0, count).join("/");
      if (this.commitOf(revision) !== undefined) return { revision, path: parts.slice(count).join("/") };
    }
    return { revision: parts[0] ?? "", path: parts.slice(1).join("/") };
  }
}
