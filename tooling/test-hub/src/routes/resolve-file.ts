import type { IncomingMessage, ServerResponse } from "node:http";

import { sendFailure } from "../answer.ts";
import type { Fault } from "../faults.ts";
import type { Repository } from "../repository.ts";
import { sendFile } from "../send-file.ts";

/**
 * `GET /{repo}/resolve/{revision}/{path}`: a file of Git itself from here, one in LFS from where the answer
 * sends on to.
 */
export async function resolveFile(
  request: IncomingMessage,
  response: ServerResponse,
  repository: Repository,
  rest: string,
  cdn: string,
  faults: readonly Fault[],
): Promise<void> {
  const { revision, path } = repository.split(rest);
  const commit = repository.commitOf(revision);
  if (commit === undefined) {
    sendFailure(response, 404, "RevisionNotFound", `Invalid rev id: ${revision}`);
    return;
  }
  const content = repository.filesOf(commit).get(path);
  if (content === undefined) {
    sendFailure(response, 404, "EntryNotFound", "Entry not found");
    return;
  }
  if (!content.isLfs) {
    const headers = { "x-repo-commit": commit, etag: `"${content.oid}"` };
    await sendFile(request, response, content, headers, faults);
    return;
  }
  const name = path.split("/").at(-1) ?? "";
  const query = `response-content-disposition=${encodeURIComponent(`inline; filename="${name}"`)}&Expires=1900000000&Signature=${content.sha256.slice(0, 16)}`;
  response.writeHead(302, {
    location: `${cdn}/xet-bridge-us/${content.sha256}?${query}`,
    "x-repo-commit": commit,
    "x-linked-size": content.sizeBytes,
    "x-linked-etag": `"${content.sha256}"`,
    "accept-ranges": "bytes",
    "content-length": 0,
  });
  response.end();
}
