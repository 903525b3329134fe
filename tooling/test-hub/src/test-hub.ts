import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { sendFailure } from "./answer.ts";
import { Content, type ContentSource } from "./content.ts";
import { Faults, type Fault, type FaultPlace } from "./faults.ts";
import { Repository, type Visibility } from "./repository.ts";
import { listTree, pathsInfo } from "./routes/list-tree.ts";
import { modelInfo, searchModels } from "./routes/model-info.ts";
import { resolveFile } from "./routes/resolve-file.ts";
import type { SeenRequest } from "./seen-request.ts";
import { sendFile } from "./send-file.ts";

export interface TestHubOptions {
  /** How many entries of a tree are in a page. @default 1000, as the hub's */
  readonly pageSize?: number;
}

/**
 * A hub on loopback that answers as Hugging Face does, from memory: one server with the API and the files
 * of Git, and another with what is in LFS, since a client has to mind that they are two hosts.
 */
export class TestHub implements AsyncDisposable {
  /** Every request so far, in order. */
  readonly requests: SeenRequest[] = [];
  /** How many parts of what is in LFS were on their way at a time, at most. */
  mostPartsAtOnce = 0;
  #parts = 0;
  readonly #repositories = new Map<string, Repository>();
  readonly #files = new Map<string, Content>();
  readonly #faults = new Faults();
  readonly #accepted = new Map<string, Set<string>>();
  readonly #pageSize: number;
  readonly #hub: Server;
  readonly #cdn: Server;

  constructor({ pageSize = 1000 }: TestHubOptions = {}) {
    this.#pageSize = pageSize;
    this.#hub = createServer((request, response) => void this.#serve("hub", request, response));
    this.#cdn = createServer((request, response) => void this.#serve("cdn", request, response));
  }

  /** Use {@link startTestHub}. */
  async listen(): Promise<void> {
    for (const server of [this.#hub, this.#cdn]) {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
  }

  /** What `HF_ENDPOINT` is set to. */
  get endpoint(): string {
    return originOf(this.#hub);
  }

  /** The origin that has what is in LFS. */
  get cdn(): string {
    return originOf(this.#cdn);
  }

  /**
   * Makes a commit with exactly these files.
   *
   * @param repo `organisation/name`; it is made where it is not there.
   * @returns the commit.
   */
  commit(repo: string, files: Readonly<Record<string, ContentSource>>, branch = "main"): string {
    const repository = this.#repositories.get(repo) ?? new Repository(repo);
    this.#repositories.set(repo, repository);
    return repository.commit(branch, files);
  }

  /** Makes a model of cortex.so as they are: a branch for each tag, and `main` that names the default one. */
  commitCortexModel(name: string, tag: string, weights: ContentSource): string {
    const repo = `cortexso/${name}`;
    this.commit(repo, { "metadata.yml": `version: 1\nname: ${name}\ndefault: ${tag}\n` });
    const yml = [
      "# BEGIN GENERAL GGUF METADATA",
      `id: ${name}`,
      `model: ${name}:${tag}`,
      `name: ${name}`,
      "version: 1",
      "# END GENERAL GGUF METADATA",
      "stop:",
      "  - </s>",
      "stream: true",
      "top_p: 0.95",
      "temperature: 0.7",
      "max_tokens: 4096",
      "engine: llama-cpp",
      'prompt_template: "<|user|>\\n{prompt}</s>\\n<|assistant|>"',
      "ctx_len: 4096",
      "ngl: 23",
      "",
    ];
    const files = { "metadata.yml": "version: 1\n", "model.gguf": weights, "model.yml": yml.join("\n") };
    return this.commit(repo, files, tag);
  }

  /** Puts other content under a file of a commit, as no hub should. */
  corrupt(repo: string, commit: string, path: string, source: ContentSource): void {
    this.#repositories.get(repo)?.corrupt(commit, path, source);
  }

  /** Who may read a repository. A gated one wants a token that {@link accept} was called with. */
  restrict(repo: string, visibility: Visibility): void {
    const repository = this.#repositories.get(repo);
    if (repository !== undefined) repository.visibility = visibility;
  }

  /** Lets a token read a gated or private repository. */
  accept(repo: string, token: string): void {
    this.#accepted.set(repo, (this.#accepted.get(repo) ?? new Set()).add(token));
  }

  /** Puts a file on the server of the LFS files, as any web server has them; again: it changed. @returns its URL. */
  putFile(path: string, source: ContentSource): string {
    this.#files.set(`/${path}`, new Content(path, source));
    return `${this.cdn}/${path}`;
  }

  /** Has something go wrong. */
  fault(fault: Fault, place: FaultPlace = {}): void {
    this.#faults.add(fault, place);
  }

  /** Has nothing go wrong any more. */
  clearFaults(): void {
    this.#faults.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#hub, this.#cdn]) {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    }
  }

  async #serve(on: "hub" | "cdn", request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url: target = "/", headers } = request;
    this.requests.push({ on, method, url: target, headers });
    const faults = this.#faults.take(on, target, headers.range);
    for (const fault of faults) {
      if (fault.kind === "status") {
        response.writeHead(fault.status, { "content-length": 0, ...fault.headers });
        response.end();
        return;
      }
      if (fault.kind === "redirect") {
        response.writeHead(302, { location: fault.to, "content-length": 0 });
        response.end();
        return;
      }
    }
    const url = new URL(target, on === "hub" ? this.endpoint : this.cdn);
    if (on === "hub") await this.#serveHub(request, response, url, faults);
    else await this.#serveFile(request, response, url, faults);
  }

  async #serveFile(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    faults: readonly Fault[],
  ): Promise<void> {
    const [, sha256] = /^\/xet-bridge-us\/([0-9a-f]{64})$/.exec(url.pathname) ?? [];
    const content =
      sha256 === undefined ? this.#files.get(decodeURIComponent(url.pathname)) : this.#lfs(sha256);
    if (content === undefined || (sha256 !== undefined && !url.searchParams.has("Signature"))) {
      sendFailure(response, content === undefined ? 404 : 403, undefined, "AccessDenied");
      return;
    }
    // As the storage behind it makes them, and no hash of the content that anybody could use.
    const headers = { etag: `"${content.sha256.slice(8, 40)}"` };
    this.mostPartsAtOnce = Math.max(this.mostPartsAtOnce, ++this.#parts);
    await sendFile(request, response, content, headers, faults);
    this.#parts--;
  }

  async #serveHub(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    faults: readonly Fault[],
  ): Promise<void> {
    const path = decodeURIComponent(url.pathname);
    if (path === "/api/models") {
      searchModels(response, [...this.#repositories.values()], url);
      return;
    }
    const [, repo, kind, rest = ""] =
      /^\/api\/models\/([^/]+\/[^/]+)(?:\/(tree|revision|paths-info)\/(.+))?$/.exec(path) ??
      /^\/([^/]+\/[^/]+)\/(resolve)\/(.+)$/.exec(path) ??
      [];
    const repository = this.#repositories.get(repo ?? "");
    const isFile = kind === "resolve";
    if (repository === undefined || this.#refuse(request, response, repository, isFile)) {
      if (repository === undefined) refuseUnknown(request, response);
      return;
    }
    if (isFile) await resolveFile(request, response, repository, rest, this.cdn, faults);
    else if (kind === "tree") listTree(response, repository, rest, url, this.#pageSize);
    else if (kind === "paths-info") pathsInfo(response, repository, rest, await pathsIn(request));
    else modelInfo(response, repository, rest === "" ? "HEAD" : rest, url);
  }

  /** Answers who may not read a repository, or its files. */
  #refuse(
    request: IncomingMessage,
    response: ServerResponse,
    repository: Repository,
    isFile: boolean,
  ): boolean {
    const token = tokenOf(request);
    const isAccepted = token !== undefined && this.#accepted.get(repository.name)?.has(token) === true;
    if (repository.visibility === "public" || isAccepted) return false;
    if (repository.visibility === "private") {
      refuseUnknown(request, response);
      return true;
    }
    if (!isFile) return false;
    const status = token === undefined ? 401 : 403;
    sendFailure(response, status, "GatedRepo", `Access to model ${repository.name} is restricted.`);
    return true;
  }

  #lfs(sha256: string): Content | undefined {
    for (const repository of this.#repositories.values()) {
      const found = repository.contents().find((content) => content.isLfs && content.sha256 === sha256);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Starts a hub on loopback, on two free ports. */
export async function startTestHub(options: TestHubOptions = {}): Promise<TestHub> {
  const hub = new TestHub(options);
  await hub.listen();
  return hub;
}

/** A stranger is not told whether a repository is private or missing. */
function refuseUnknown(request: IncomingMessage, response: ServerResponse): void {
  if (tokenOf(request) === undefined)
    sendFailure(response, 401, "RepoNotFound", "Invalid username or password.");
  else sendFailure(response, 404, "RepoNotFound", "Repository not found");
}

async function pathsIn(request: IncomingMessage): Promise<string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return (JSON.parse(Buffer.concat(chunks).toString()) as { paths: string[] }).paths;
}

function tokenOf(request: IncomingMessage): string | undefined {
  return /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1];
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
