import { RegistryError, toVisible } from "@cortex/model-db";

import { shown, type HttpResponse } from "./http-client.ts";

/**
 * What an answer that is no success means. The hub's own codes stand in `X-Error-Code`
 * (`huggingface_hub/utils/_http.py`).
 *
 * @param url what was asked for.
 * @param why where the status alone does not say it.
 */
export function failureOf(
  url: string,
  { status, firstHeaders }: Pick<HttpResponse, "status" | "firstHeaders">,
  why?: string,
): RegistryError {
  const place = placeOf(new URL(url));
  const code = firstHeaders.get("x-error-code");
  if (code === "GatedRepo") {
    return new RegistryError(
      "permission_denied",
      `Access to ${place} is gated. Accept its licence on the repository's page, and set HF_TOKEN to a token of that account.`,
    );
  }
  if (code === "DisabledRepo") {
    return new RegistryError(
      "permission_denied",
      `The hub has disabled ${place}. Choose another repository.`,
    );
  }
  // A hub does not tell whether a repository is missing or private.
  if (status === 401 || code === "RepoNotFound") {
    return new RegistryError(
      "not_found",
      `There is no ${place}, or it is private. Check the name; for a private one, set HF_TOKEN.`,
    );
  }
  if (status === 403) {
    return new RegistryError(
      "permission_denied",
      `This account may not read ${place}. Set HF_TOKEN to a token that may.`,
    );
  }
  if (code === "RevisionNotFound") {
    const [, revision] = /\/(?:revision|resolve|tree)\/([^/]+)/.exec(new URL(url).pathname) ?? [];
    const named = revision === undefined ? "such" : toVisible(decodeURIComponent(revision));
    return new RegistryError(
      "not_found",
      `There is no ${named} in ${place}: no branch, tag or commit is called so. Check the revision.`,
    );
  }
  if (status === 404 || status === 410) {
    return new RegistryError("not_found", `There is no ${place}. Check the name.`);
  }
  const said = why ?? (status === 429 ? "it takes no more requests for now (429)" : `it answers ${status}`);
  return new RegistryError(
    "source_unreachable",
    `Nothing can be fetched from ${place}: ${said}. Try again later.`,
  );
}

/** What was asked for, as a person would name it. */
function placeOf(url: URL): string {
  const [, repo] = /\/api\/models\/([^/]+\/[^/]+)(?:\/|$)/.exec(url.pathname) ?? [];
  return repo === undefined ? shown(url) : `repository ${repo} at ${url.origin}`;
}
