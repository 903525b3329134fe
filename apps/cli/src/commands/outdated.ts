import { formatSize, toVisible } from "@cortex/model-db";
import { checkRevisions, type RevisionCheck } from "@cortex/model-sources";

import { Interrupted } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { untilInterrupted } from "../interrupt.ts";
import { openHub } from "../open-hub.ts";
import { openExisting, openForReading } from "../open.ts";
import { toRevisionRecord } from "../output/revision-record.ts";
import { writeNote } from "../output/stream.ts";
import type { Column } from "../output/table.ts";
import { printWholeList } from "../output/whole-list.ts";

/** What `cortex outdated` takes. */
export interface OutdatedOptions extends Everywhere {
  /** None: every pulled model that is here. */
  readonly models: readonly string[];
}

/**
 * Prints the pulled models of which the source has something newer.
 * @returns 1 where a source could not be asked
 */
export async function outdated(options: OutdatedOptions): Promise<number> {
  const { models } = options;
  const signal = untilInterrupted();
  await using hub = await openHub(options);
  const registry = await (models.length === 0 ? openForReading(options) : openExisting(options));
  const checks: RevisionCheck[] = [];
  try {
    if (registry !== undefined) {
      const names = models.length === 0 ? undefined : models;
      for await (const check of checkRevisions(registry, registry.location, hub, names, signal))
        checks.push(check);
    }
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    throw error;
  } finally {
    await registry?.close();
  }
  const unknown = checks.filter(({ state }) => state === "unknown");
  for (const { model, why } of unknown) writeNote(toVisible(`${model.modelId}: ${why}.`));
  const shown = {
    toId: ({ model }: RevisionCheck) => toVisible(model.modelId),
    toRecord: toRevisionRecord,
    columns: COLUMNS,
    toCells,
    nothing: unknown.length === 0 ? "Everything is up to date." : "Nothing else is newer.",
  };
  const found = options.json === true ? checks : checks.filter(({ state }) => state === "outdated");
  printWholeList(registry && found, shown, options);
  return unknown.length > 0 ? 1 : 0;
}

const COLUMNS: readonly Column[] = [
  { title: "MODEL", least: 24, keep: "both" },
  { title: "BRANCH", sacrifice: 2 },
  { title: "HERE", sacrifice: 3 },
  { title: "THERE", sacrifice: 1 },
  { title: "TO FETCH", align: "right" },
];
const COMMIT_DIGITS = 7;

function toCells({ model, from, commitId, changedBytes }: RevisionCheck): string[] {
  return [
    model.modelId,
    from.branch ?? "",
    from.commitId?.slice(0, COMMIT_DIGITS) ?? "",
    commitId?.slice(0, COMMIT_DIGITS) ?? "",
    formatSize(changedBytes),
  ].map(toVisible);
}
