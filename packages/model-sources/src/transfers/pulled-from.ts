import type { JsonObject, Model } from "@cortex/model-db";

/** Where a model was pulled from. */
export interface PulledFrom {
  /** What it was asked for by. */
  readonly reference: string;
  /** `organisation/name`; `null` for a file of any other server. */
  readonly repository: string | null;
  readonly branch: string | null;
  /** What the branch was then; `null` where there are no commits. */
  readonly commitId: string | null;
}

/** What is kept of it: `source` in the model's `metadata`. */
export function toSourceMetadata({ reference, repository, commitId }: PulledFrom): JsonObject {
  return {
    source: {
      reference,
      ...(repository === null ? {} : { repository }),
      ...(commitId === null ? {} : { commit_id: commitId }),
    },
  };
}

/** Where a model was pulled from; `undefined` for one that was not. */
export function pulledFrom({ metadata, branch }: Model): PulledFrom | undefined {
  const { source } = metadata;
  if (typeof source !== "object" || source === null || Array.isArray(source)) return undefined;
  const { reference, repository, commit_id: commitId } = source;
  if (typeof reference !== "string") return undefined;
  return {
    reference,
    repository: typeof repository === "string" ? repository : null,
    branch,
    commitId: typeof commitId === "string" ? commitId : null,
  };
}
