import type { ServerResponse } from "node:http";

import { sendFailure, sendJson } from "../answer.ts";
import type { Content } from "../content.ts";
import type { Repository } from "../repository.ts";

/** `GET /api/models/{repo}/tree/{revision}[/{path}]?recursive=`, in pages that a `Link` header connects. */
export function listTree(
  response: ServerResponse,
  repository: Repository,
  rest: string,
  url: URL,
  pageSize: number,
): void {
  const { revision, path } = repository.split(rest);
  const commit = repository.commitOf(revision);
  if (commit === undefined) {
    sendFailure(response, 404, "RevisionNotFound", `Invalid rev id: ${revision}`);
    return;
  }
  const prefix = path === "" ? "" : `${path.replace(/\/$/, "")}/`;
  const recursive = url.searchParams.get("recursive") === "true";
  const entries = entriesBelow(repository.filesOf(commit), prefix, recursive);
  const from = Number(url.searchParams.get("cursor") ?? 0);
  const headers: Record<string, string> = {};
  if (from + pageSize < entries.length) {
    url.searchParams.set("cursor", String(from + pageSize));
    headers["link"] = `<${url.href}>; rel="next"`;
  }
  sendJson(response, entries.slice(from, from + pageSize), headers);
}

/** `POST /api/models/{repo}/paths-info/{revision}`. */
export function pathsInfo(
  response: ServerResponse,
  repository: Repository,
  revision: string,
  paths: readonly string[],
): void {
  const commit = repository.commitOf(revision);
  if (commit === undefined) {
    sendFailure(response, 404, "RevisionNotFound", `Invalid rev id: ${revision}`);
    return;
  }
  const files = repository.filesOf(commit);
  sendJson(
    response,
    paths.flatMap((path) => {
      const content = files.get(path);
      return content === undefined ? [] : [entryOf(path, content)];
    }),
  );
}

function entriesBelow(files: Map<string, Content>, prefix: string, recursive: boolean): object[] {
  const entries = new Map<string, object>();
  for (const [path, content] of files) {
    if (!path.startsWith(prefix)) continue;
    const folders = path.slice(prefix.length).split("/").slice(0, -1);
    folders.forEach((_, at) => {
      const folder = prefix + folders.slice(0, at + 1).join("/");
      if (recursive || at === 0)
        entries.set(folder, { type: "directory", oid: "0".repeat(40), size: 0, path: folder });
    });
    if (recursive || folders.length === 0) entries.set(path, entryOf(path, content));
  }
  return [...entries.values()];
}

function entryOf(path: string, { oid, sizeBytes, isLfs, sha256, pointer }: Content): object {
  const entry = { type: "file", oid, size: sizeBytes, path };
  if (!isLfs) return entry;
  return { ...entry, lfs: { oid: sha256, size: sizeBytes, pointerSize: pointer.length } };
}
