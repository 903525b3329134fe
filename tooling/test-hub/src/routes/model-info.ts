import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";

import { sendFailure, sendJson } from "../answer.ts";
import type { Repository } from "../repository.ts";

/** `GET /api/models/{repo}[/revision/{revision}]?expand=`. */
export function modelInfo(
  response: ServerResponse,
  repository: Repository,
  revision: string,
  url: URL,
): void {
  const commit = repository.commitOf(revision);
  if (commit === undefined) {
    sendFailure(response, 404, "RevisionNotFound", `Invalid rev id: ${revision}`);
    return;
  }
  sendJson(response, infoOf(repository, commit, url.searchParams.getAll("expand")));
}

/** `GET /api/models?search=&author=&filter=&limit=&sort=`. */
export function searchModels(response: ServerResponse, repositories: readonly Repository[], url: URL): void {
  const { searchParams } = url;
  const query = (searchParams.get("search") ?? "").toLowerCase();
  const author = searchParams.get("author");
  const tags = searchParams.getAll("filter");
  const found = repositories.filter((repository) => {
    const info = infoOf(repository, repository.commitOf("HEAD") ?? "", []) as { tags: string[] };
    return (
      repository.visibility !== "private" &&
      repository.name.toLowerCase().includes(query) &&
      (author === null || repository.name.startsWith(`${author}/`)) &&
      tags.every((tag) => info.tags.includes(tag))
    );
  });
  const limit = Number(searchParams.get("limit") ?? 1000);
  const from = Number(searchParams.get("cursor") ?? 0);
  const headers: Record<string, string> = {};
  if (from + limit < found.length) {
    searchParams.set("cursor", String(from + limit));
    headers["link"] = `<${url.href}>; rel="next"`;
  }
  const expand = searchParams.getAll("expand");
  const page = found.slice(from, from + limit);
  sendJson(
    response,
    page.map((repository) => infoOf(repository, repository.commitOf("HEAD") ?? "", expand)),
    headers,
  );
}

function infoOf(repository: Repository, commit: string, expand: readonly string[]): object {
  const [author = ""] = repository.name.split("/");
  const paths = [...repository.filesOf(commit).keys()];
  const all: Record<string, unknown> = {
    author,
    sha: commit,
    private: repository.visibility === "private",
    gated: repository.visibility === "gated" ? "manual" : false,
    downloads: paths.length,
    likes: 0,
    pipeline_tag: "text-generation",
    tags: [...(paths.some((path) => path.endsWith(".gguf")) ? ["gguf"] : []), "text-generation"],
    lastModified: repository.createdAt,
    createdAt: repository.createdAt,
    siblings: paths.map((rfilename) => ({ rfilename })),
  };
  const fields = expand.length === 0 ? Object.keys(all) : expand.filter((field) => field in all);
  return {
    _id: createHash("sha1").update(repository.name).digest("hex").slice(0, 24),
    id: repository.name,
    ...Object.fromEntries(fields.map((field) => [field, all[field]])),
  };
}
