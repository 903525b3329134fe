import type { ModelFile } from "@cortex/model-db";

/**
 * What a repository calls a file that was pulled from it: what stands behind the commit in its URL.
 *
 * @returns `undefined` for a file of something else.
 */
export function pathInRepository({ source }: ModelFile, commitId: string | null): string | undefined {
  const path = source?.split(`/resolve/${commitId}/`)[1];
  return path === undefined ? undefined : decodeURIComponent(path);
}
