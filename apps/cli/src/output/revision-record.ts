import type { JsonObject } from "@cortex/model-db";
import type { RevisionCheck } from "@cortex/model-sources";

/** Whether a model is what its source has, as JSON says it. */
export function toRevisionRecord({
  model,
  from,
  state,
  why,
  commitId,
  changed,
  changedBytes,
}: RevisionCheck): JsonObject {
  return {
    model_id: model.modelId,
    state,
    repository: from.repository,
    branch: from.branch,
    commit_id: from.commitId,
    new_commit_id: commitId,
    changed_files: [...changed],
    changed_bytes: changedBytes,
    ...(why === "" ? {} : { why }),
  };
}
