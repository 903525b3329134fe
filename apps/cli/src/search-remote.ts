import { formatCount, toVisible } from "@cortex/model-db";
import type { FoundRepository } from "@cortex/model-sources";

import type { SearchOptions } from "./commands/search.ts";
import { Interrupted } from "./errors.ts";
import { untilInterrupted } from "./interrupt.ts";
import { openHub } from "./open-hub.ts";
import type { Column } from "./output/table.ts";
import { formatRelative } from "./output/time.ts";
import { printWholeList } from "./output/whole-list.ts";

const LIMIT = 20;

/** Prints the repositories of Hugging Face with GGUF files that a search finds, the most downloaded first. */
export async function searchRemote(options: SearchOptions): Promise<void> {
  const { text, limit = LIMIT } = options;
  const signal = untilInterrupted();
  await using hub = await openHub(options);
  const found = await hub.search(text.join(" "), limit, signal).catch((error: unknown) => {
    throw signal.aborted ? new Interrupted() : error;
  });
  const shown = {
    toId: ({ repo }: FoundRepository) => toVisible(repo),
    toRecord,
    columns: COLUMNS,
    toCells,
    nothing: "Nothing matches. Fewer words find more.",
  };
  printWholeList(found, shown, options);
}

const COLUMNS: readonly Column[] = [
  { title: "REPOSITORY", least: 24, keep: "both" },
  { title: "DOWNLOADS", align: "right" },
  { title: "LIKES", align: "right", sacrifice: 2 },
  { title: "GATED", sacrifice: 1 },
  { title: "CHANGED", sacrifice: 3, style: () => "dim" },
];

function toCells({ repo, downloads, likes, isGated, updatedAt }: FoundRepository): string[] {
  return [
    repo,
    formatCount(downloads),
    formatCount(likes),
    isGated ? "yes" : "",
    formatRelative(updatedAt),
  ].map(toVisible);
}

function toRecord({ repo, downloads, likes, isGated, updatedAt, tags }: FoundRepository): object {
  return { repository: repo, downloads, likes, gated: isGated, updated_at: updatedAt, tags };
}
