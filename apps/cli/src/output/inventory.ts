import { formatSize, toVisible } from "@cortex/model-db";
import type { Inventory, InventoryModel, ScanChanges, ScanPlan } from "@cortex/model-sources";

import { painter, type Style } from "./color.ts";
import { toDocument } from "./json.ts";
import { outputColumns } from "./stream.ts";
import { toTable, type Column } from "./table.ts";

/** What a scan has found, and what became of it. */
export interface ScanOutcome {
  readonly inventory: Inventory;
  readonly plan: ScanPlan;
  readonly changes: ScanChanges;
  /** `false`: the changes are only what would be changed. */
  readonly isDone: boolean;
}

const MODEL_COLUMNS: readonly Column[] = [
  { title: "NAME", least: 16, keep: "both" },
  { title: "STORE" },
  { title: "SIZE", align: "right" },
  { title: "STATE", style: styleOfState },
  { title: "REGISTERED AS", least: 12, keep: "both", sacrifice: 2 },
  { title: "SAME AS", sacrifice: 1 },
];

/** A line for each model: where it is, how large, whether it is whole, and what the registry knows it as. */
export function toInventoryTable({ inventory }: ScanOutcome, color: boolean | undefined): string {
  const { models } = inventory;
  if (models.length === 0) return "";
  const rows = models.map((model) => [
    toVisible(model.name),
    model.store,
    formatSize(model.sizeBytes),
    model.state,
    model.known === null ? "" : toVisible(model.known.modelId),
    model.sameAs === null ? "" : `#${model.sameAs}`,
  ]);
  return toTable(MODEL_COLUMNS, rows, painter(1, color), outputColumns());
}

/** What a scan has found, in sentences. */
export function toInventorySummary(outcome: ScanOutcome): string {
  const { inventory, plan, isDone } = outcome;
  const { stores, models, findings, sizeBytes, repeatedBytes } = inventory;
  const lines = findings.map(({ path, problem }) => `${path} ${problem}.`);
  for (const { store, name, state, reason } of models) {
    if (reason !== null) lines.push(`${state}: ${name} (${store}): ${reason}.`);
  }
  for (const { name, path, modelCount, sizeBytes: bytes } of stores) {
    lines.push(`${name}: ${count(modelCount, "model")}, ${formatSize(bytes)}, in ${path}`);
  }
  const repeated = repeatedBytes > 0 ? `; ${formatSize(repeatedBytes)} of that are there more than once` : "";
  if (models.length > 0) lines.push(`${count(models.length, "model")}, ${formatSize(sizeBytes)}${repeated}.`);
  else lines.push("No models were found. Name folders to look in: cortex scan <folder…>");
  lines.push(...describeChanges(outcome));
  if (plan.adoptableCount > 0) {
    const them = plan.adoptableCount === 1 ? "One is" : `${plan.adoptableCount} are`;
    lines.push(`${them} not registered: \`cortex scan --adopt\` does so, where the files lie.`);
  }
  if (plan.removed.length === 1)
    lines.push("One model was taken out of the registry and stays out; --again brings it back.");
  else if (plan.removed.length > 1)
    lines.push(
      `${plan.removed.length} models were taken out of the registry and stay out; --again brings them back.`,
    );
  for (const { found, reason } of plan.refused) lines.push(`${found.name} is not registered: ${reason}`);
  if (!isDone && plan.adoptions.length + plan.corrections.length > 0) lines.push("Nothing was changed.");
  return lines.map(toVisible).join("\n");
}

/** All that a scan has found, for programs. */
export function toInventoryDocument({ inventory, plan, changes, isDone }: ScanOutcome): string {
  return toDocument({
    data: inventory.models.map(toModelRecord),
    next_cursor: null,
    stores: inventory.stores.map(({ name, path, modelCount, sizeBytes }) => ({
      name,
      path,
      models: modelCount,
      size_bytes: sizeBytes,
    })),
    findings: inventory.findings.map(({ path, problem }) => ({ path, problem })),
    size_bytes: inventory.sizeBytes,
    repeated_bytes: inventory.repeatedBytes,
    dry_run: !isDone,
    adopted: changes.adopted,
    moved: changes.moved.map(({ modelId, from, to }) => ({ model_id: modelId, from, to })),
    renewed: changes.renewed,
    missing: changes.missing,
    partial: changes.partial,
    present: changes.present,
    refused: plan.refused.map(({ found, reason }) => ({ name: found.name, store: found.store, reason })),
    removed: plan.removed.map(({ name, store, modelId }) => ({ name, store, model_id: modelId })),
  });
}

function toModelRecord(model: InventoryModel): object {
  const { name, store, storePath, state, reason, sizeBytes, known, sameAs, origin, files } = model;
  return {
    name,
    store,
    store_path: storePath,
    state,
    reason,
    size_bytes: sizeBytes,
    model_id: known?.modelId ?? null,
    known_by: known?.by ?? null,
    same_as: sameAs,
    source_type: origin.sourceType,
    repository: origin.authorRepo,
    branch: origin.branch,
    commit_id: origin.commit,
    files: files.map((file) => ({
      path: file.path,
      role: file.role,
      size_bytes: file.sizeBytes,
      sha256: file.sha256,
    })),
  };
}

function describeChanges({ changes, isDone }: ScanOutcome): string[] {
  const { adopted, moved, renewed, missing, partial, present } = changes;
  const would = isDone ? "" : "would be ";
  const lines: string[] = [];
  for (const { modelId, from, to } of moved) lines.push(`${modelId}: ${from} is ${to} now.`);
  if (renewed.length > 0) lines.push(`Written anew by their tool: ${renewed.join(", ")}.`);
  if (missing.length > 0) lines.push(`No longer here: ${missing.join(", ")}.`);
  if (partial.length > 0) lines.push(`No longer whole: ${partial.join(", ")}.`);
  if (present.length > 0) lines.push(`Here again: ${present.join(", ")}.`);
  if (adopted.length > 0)
    lines.push(`${count(adopted.length, "model")} ${would}registered where the files lie.`);
  return lines;
}

function styleOfState(state: string): Style | undefined {
  if (state === "broken") return "red";
  return state === "whole" ? undefined : "yellow";
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
