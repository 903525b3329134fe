import { toVisible } from "@cortex/model-db";

/** Which models change, and how. */
export interface ChangeList {
  readonly created: readonly string[];
  readonly updated: readonly { readonly modelId: string; readonly fields: readonly string[] }[];
  readonly deleted: readonly string[];
  /** Would go, if they were not pinned. */
  readonly kept?: readonly string[];
}

const MOST_LINES = 200;

/** The ids of the models that change, one a line, for programs. */
export function toChangedIds({ created, updated, deleted }: ChangeList): string {
  const ids = [...created, ...updated.map(({ modelId }) => modelId), ...deleted];
  return ids.map((modelId) => `${toVisible(modelId)}\n`).join("");
}

/** What changed in models, as `--json` has it. */
export function toUpdatedDocument(
  updated: ChangeList["updated"],
): { model_id: string; fields: readonly string[] }[] {
  return updated.map(({ modelId, fields }) => ({ model_id: modelId, fields }));
}

/** A line for each model that changes, what goes first, and how many there are of each kind. */
export function describeChangeList(list: ChangeList, future: boolean, more = ""): string {
  const { created, updated, deleted, kept = [] } = list;
  const lines = [
    ...deleted.map((modelId) => `- ${modelId}`),
    ...created.map((modelId) => `+ ${modelId}`),
    ...kept.map((modelId) => `= ${modelId} (pinned, so it stays)`),
    ...updated.map(({ modelId, fields }) => `~ ${modelId} (${fields.join(", ")})`),
  ];
  const shown = lines.slice(0, MOST_LINES).map(toVisible);
  if (lines.length > MOST_LINES) shown.push(`… and ${lines.length - MOST_LINES} more`);
  const counts = `${created.length} created, ${updated.length} updated, ${deleted.length} deleted${more}`;
  return [...shown, future ? `Would be: ${counts}` : counts].join("\n");
}
