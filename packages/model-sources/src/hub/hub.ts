import { RegistryError } from "@cortex/model-db";
import { listFiles, listModels, modelInfo, type ListFileEntry } from "@huggingface/hub";

import {
  HUGGING_FACE,
  type FileReference,
  type ModelReference,
  type RepositoryReference,
} from "../reference/model-reference.ts";
import { safePath } from "../safe-path.ts";
import { fetchWhole } from "./fetch-whole.ts";
import { fileState } from "./file-state.ts";
import { HttpClient, type HttpClientOptions } from "./http-client.ts";
import { failureOf } from "./hub-failure.ts";
import type { RemoteFile, RemoteModel } from "./remote-model.ts";

export interface HubOptions extends Omit<HttpClientOptions, "tokenUrl"> {
  /** Where Hugging Face is: `HF_ENDPOINT`. */
  readonly endpoint?: string | undefined;
  /** Is told once, when something that was asked for is not there after so long. */
  readonly onSilence?: { readonly afterMs: number; tell(host: string): void } | undefined;
}

/** A repository that a search found. */
export interface FoundRepository {
  /** `organisation/name`. */
  readonly repo: string;
  readonly downloads: number;
  readonly likes: number;
  /** Whether its files want a licence accepted first. */
  readonly isGated: boolean;
  /** Unix time in ms. */
  readonly updatedAt: number;
  readonly tags: readonly string[];
}

const MAX_FILES = 20_000;
const MAX_TEXT_BYTES = 1024 * 1024;

/** Hugging Face, and what else can be named by a URL. */
export class Hub implements AsyncDisposable {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** How files of this hub are fetched. */
  readonly http: HttpClient;
  #onSilence: HubOptions["onSilence"];

  constructor({ endpoint = HUGGING_FACE, onSilence, ...http }: HubOptions = {}) {
    this.endpoint = endpoint.replace(/\/+$/, "");
    this.#onSilence = onSilence;
    this.http = new HttpClient({ ...http, tokenUrl: this.endpoint });
  }

  /**
   * Finds what a reference names, at this moment.
   *
   * @throws RegistryError `not_found`, `permission_denied` (gated, or an address that is not public),
   *   `source_unreachable`, `invalid_input`.
   */
  async resolve(reference: ModelReference, signal?: AbortSignal): Promise<RemoteModel> {
    return reference.kind === "file"
      ? this.#waitFor(reference.url, this.#resolveFile(reference, signal))
      : this.#waitFor(this.endpoint, this.#resolveRepository(reference, signal));
  }

  /** Repositories with GGUF files that a search finds, the most downloaded first. */
  async search(query: string, limit: number, signal?: AbortSignal): Promise<FoundRepository[]> {
    const models = listModels({
      search: { query, tags: ["gguf"] },
      additionalFields: ["tags"],
      sort: "downloads",
      limit,
      hubUrl: this.endpoint,
      fetch: fetchWhole(this.http, signal),
    });
    const found = await this.#waitFor(
      this.endpoint,
      this.#ask(() => Array.fromAsync(models)),
    );
    return found.map(({ name, downloads, likes, gated, updatedAt, tags }) => {
      const isPlausible =
        typeof name === "string" &&
        Array.isArray(tags) &&
        [downloads, likes, updatedAt.getTime()].every((value) => Number.isFinite(value));
      if (!isPlausible)
        throw unexpected(this.endpoint, "a repository without its name, downloads, likes, date or tags");
      return { repo: name, downloads, likes, isGated: gated !== false, updatedAt: updatedAt.getTime(), tags };
    });
  }

  /** The text of a small file, such as a `model.yml`. @throws RegistryError as {@link resolve}. */
  async readText(file: Pick<RemoteFile, "url">, signal?: AbortSignal): Promise<string> {
    const fetch = fetchWhole(this.http, signal, MAX_TEXT_BYTES);
    return (await this.#waitFor(file.url, fetch(file.url))).text();
  }

  async #waitFor<T>(url: string, work: Promise<T>): Promise<T> {
    if (this.#onSilence === undefined) return work;
    const timer = setTimeout(() => {
      this.#onSilence?.tell(new URL(url).host);
      this.#onSilence = undefined;
    }, this.#onSilence.afterMs);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }

  async #resolveRepository(
    reference: RepositoryReference,
    signal: AbortSignal | undefined,
  ): Promise<RemoteModel> {
    const { repo, sourceType } = reference;
    const branch = reference.revision ?? (await this.#defaultBranch(reference, signal));
    const commit = await this.#commitOf(repo, branch, signal);
    return { sourceType, repo, branch, commit, files: await this.#filesOf(repo, commit, signal) };
  }

  /** The commit that a branch, a tag or the beginning of a commit means now. */
  async #commitOf(repo: string, revision: string, signal: AbortSignal | undefined): Promise<string> {
    const { sha } = await this.#ask(() =>
      modelInfo({
        name: repo,
        revision,
        additionalFields: ["sha"],
        hubUrl: this.endpoint,
        fetch: fetchWhole(this.http, signal),
      }),
    );
    if (typeof sha === "string" && /^[0-9a-f]{40}$/.test(sha)) return sha;
    throw unexpected(this.endpoint, `no commit of ${repo} at ${revision}`);
  }

  async #filesOf(repo: string, commit: string, signal: AbortSignal | undefined): Promise<RemoteFile[]> {
    const listed = listFiles({
      repo,
      revision: commit,
      recursive: true,
      hubUrl: this.endpoint,
      fetch: fetchWhole(this.http, signal),
    });
    const files: ListFileEntry[] = [];
    await this.#ask(async () => {
      for await (const entry of listed) {
        if (entry?.type === "file") files.push(entry);
        // A list may have no end.
        if (files.length > MAX_FILES) break;
      }
    });
    if (files.length > MAX_FILES) throw unexpected(this.endpoint, `more than ${MAX_FILES} files in ${repo}`);
    return files.map((entry) => this.#toRemoteFile(repo, commit, entry));
  }

  /** Has the official client ask, and nothing else done: it takes any answer for what it expects. */
  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      // A page to log in at, for one.
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
      throw unexpected(this.endpoint, "what it says is not what was asked for", error);
    }
  }

  #toRemoteFile(repo: string, commit: string, { path, size, oid, ...entry }: ListFileEntry): RemoteFile {
    // The client hands on what it was told, of whatever type.
    const lfs = entry.lfs as { readonly oid: unknown; readonly size: number } | null | undefined;
    const sha256 = lfs == null ? null : String(lfs.oid).replace(/^sha256:/, "");
    const gitSha1 = lfs == null ? (oid ?? null) : null;
    const sizeBytes = lfs?.size ?? size;
    const isPlausible =
      typeof path === "string" &&
      Number.isSafeInteger(sizeBytes) &&
      sizeBytes >= 0 &&
      (sha256 === null ? /^[0-9a-f]{40}$/.test(gitSha1 ?? "") : /^[0-9a-f]{64}$/.test(sha256));
    if (!isPlausible)
      throw unexpected(this.endpoint, `no size and hash of ${JSON.stringify(path)} in ${repo}`);
    const encoded = path.split("/").map(encodeURIComponent).join("/");
    const url = `${this.endpoint}/${repo}/resolve/${commit}/${encoded}`;
    return { path, sizeBytes, sha256, gitSha1, url, etag: null };
  }

  /** What a repository of cortex.so names as its default in `metadata.yml`, else `main`. */
  async #defaultBranch({ repo, sourceType }: RepositoryReference, signal?: AbortSignal): Promise<string> {
    if (sourceType !== "cortex.so") return "main";
    try {
      const text = await this.readText({ url: `${this.endpoint}/${repo}/resolve/main/metadata.yml` }, signal);
      const named = /^default:[ \t]*["']?([A-Za-z0-9][A-Za-z0-9._-]*)["']?[ \t]*$/m.exec(text)?.[1];
      return named ?? "main";
    } catch (error) {
      if ((error as RegistryError).code === "not_found") return "main";
      throw error;
    }
  }

  async #resolveFile({ url }: FileReference, signal: AbortSignal | undefined): Promise<RemoteModel> {
    const response = await this.http.request(url, { headers: { range: "bytes=0-0" }, signal });
    response.discard();
    if (response.status !== 200 && response.status !== 206) throw failureOf(url, response);
    const { headers } = response;
    const size = headers.get("content-range")?.split("/")[1] ?? headers.get("content-length");
    const sizeBytes = size === null || size === undefined ? Number.NaN : Number(size);
    if (!Number.isSafeInteger(sizeBytes)) throw unexpected(url, "no size of the file");
    const path = safePath(decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? ""));
    const etag = fileState(headers);
    const file: RemoteFile = { path, sizeBytes, sha256: null, gitSha1: null, url, etag };
    return { sourceType: "local", repo: null, branch: null, commit: null, files: [file] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.http[Symbol.asyncDispose]();
  }
}

function unexpected(url: string, what: string, cause?: unknown): RegistryError {
  return new RegistryError(
    "source_unreachable",
    `${url} answers as no hub does: ${what}. Is HF_ENDPOINT right, and does this network want you to log in first?`,
    { cause },
  );
}
