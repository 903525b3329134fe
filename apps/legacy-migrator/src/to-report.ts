import type { Decision } from "./decide.ts";
import type { LegacyEntry, LegacyNote, LegacyRefusal, Problem } from "./legacy/legacy-entry.ts";
import type { FieldMerge } from "./merge-entries.ts";
import type { ReportEntry } from "./report-entry.ts";
import { textOf } from "./source-index.ts";

/** What the report says about a line that is no entry. */
export function reportRefusal({ store, line, text, code, why, remedy }: LegacyRefusal): ReportEntry {
  return { outcome: "refused", store, line, model_id: null, text, code, why, remedy };
}

/**
 * What the report says about the records of a model: one entry for each.
 *
 * @param newAlias the alias that was found for a model whose own was taken.
 */
export function reportDecision(decision: Decision, newAlias: string | null | undefined): ReportEntry[] {
  const { leader, followers, merged, plan } = decision;
  if (plan.kind === "refuse") return [leader, ...followers].map((entry) => refused(entry, plan.problem));
  const modelId = plan.kind === "create" ? leader.modelId : plan.model.modelId;
  const first = reportLeader(decision, newAlias);
  const rest = followers.map((entry, index) =>
    plan.kind === "keep"
      ? follower("already_there", entry, modelId, [])
      : follower("merged", entry, modelId, merged.merges[index] ?? []),
  );
  return [first, ...rest];
}

/** A record of a model with very many: it only repeats it. */
export function reportRepeated(entry: LegacyEntry, { plan, leader }: Decision): ReportEntry {
  if (plan.kind === "refuse") return refused(entry, plan.problem);
  const modelId = plan.kind === "create" ? leader.modelId : plan.model.modelId;
  return follower(plan.kind === "keep" ? "already_there" : "merged", entry, modelId, []);
}

function reportLeader({ leader, plan }: Decision, newAlias: string | null | undefined): ReportEntry {
  const place = { store: leader.store, line: leader.line, model_id: leader.modelId };
  if (plan.kind === "refuse") return refused(leader, plan.problem);
  if (plan.kind === "keep") {
    return {
      outcome: "already_there",
      ...place,
      ...into(plan.model.modelId, leader),
      ...some(plan.differences),
      ...noted(plan.notes),
    };
  }
  if (plan.kind === "update") {
    return {
      outcome: "merged",
      ...place,
      into: plan.model.modelId,
      ...some(plan.fields),
      ...noted(plan.notes),
    };
  }
  if (plan.clash === undefined) return { outcome: "created", ...place, ...noted(plan.notes) };
  const { alias, why } = plan.clash;
  const notes = [
    ...plan.notes,
    { code: "alias_taken", text: `The alias "${alias}" cannot be kept: ${why}.` },
  ];
  return { outcome: "renamed", ...place, old_alias: alias, new_alias: newAlias ?? null, notes };
}

function follower(
  outcome: "merged" | "already_there",
  entry: LegacyEntry,
  modelId: string,
  fields: readonly FieldMerge[],
): ReportEntry {
  const { store, line, notes } = entry;
  return { outcome, store, line, model_id: entry.modelId, into: modelId, ...some(fields), ...noted(notes) };
}

function refused(entry: LegacyEntry, { code, why, remedy }: Problem): ReportEntry {
  const { store, line, modelId } = entry;
  return { outcome: "refused", store, line, model_id: modelId, text: textOf(entry), code, why, remedy };
}

function into(modelId: string, { modelId: own }: LegacyEntry): { into?: string } {
  return modelId === own ? {} : { into: modelId };
}

function some(fields: readonly FieldMerge[]): { fields?: readonly FieldMerge[] } {
  return fields.length === 0 ? {} : { fields };
}

function noted(notes: readonly LegacyNote[]): { notes?: readonly LegacyNote[] } {
  return notes.length === 0 ? {} : { notes };
}
