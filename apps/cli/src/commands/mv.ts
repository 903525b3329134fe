import { formatSize, toVisible } from "@cortex/model-db";
import { modelFolders, moveModel, type MovedModel } from "@cortex/model-sources";

import { Interrupted } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { untilInterrupted } from "../interrupt.ts";
import { locationOf } from "../location.ts";
import { openForWriting } from "../open.ts";
import { printChanged } from "../output/changed.ts";
import { startProgress } from "../output/progress.ts";
import { writeNote } from "../output/stream.ts";

/** What `cortex mv` takes. */
export interface MvOptions extends Everywhere {
  readonly model: string;
  readonly folder: string;
  readonly dryRun?: boolean;
}

/** Moves the files of a model to another models folder. */
export async function mv(options: MvOptions): Promise<void> {
  const { model, folder, dryRun = false, quiet = false, json = false } = options;
  const folders = await modelFolders(process.env, locationOf(options));
  const signal = untilInterrupted();
  const progress = startProgress("MB copied", quiet || json);
  await using registry = await openForWriting(options);
  let copied = 0;
  try {
    const moved = await moveModel(registry, model, folder, {
      folders,
      dryRun,
      signal,
      onBytes: (bytes) => progress.update(Math.round((copied += bytes) / 1e6)),
    });
    progress.end();
    if (!quiet && !json) for (const line of describeFiles(moved, dryRun)) writeNote(toVisible(line));
    printChanged(moved.model, summary(moved, folder, dryRun), options);
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    throw error;
  } finally {
    progress.end();
  }
}

function describeFiles({ files, leftOver }: MovedModel, dryRun: boolean): string[] {
  return [
    ...files.map(({ from, to }) => `  ${from} → ${to}`),
    ...leftOver.map((path) => `  ${path} ${dryRun ? "would go" : "is gone"}: an earlier move had left it`),
  ];
}

function summary(
  { model, files, leftOver, copiedBytes }: MovedModel,
  folder: string,
  dryRun: boolean,
): string {
  if (files.length === 0) {
    const finished = leftOver.length > 0 ? ", and what an earlier move had left is gone" : "";
    return `${model.modelId} is in ${folder} already${dryRun ? "" : finished}.`;
  }
  const how = copiedBytes > 0 ? `, ${formatSize(copiedBytes)} copied` : "";
  return dryRun
    ? `${model.modelId} would move to ${folder}${how}. Nothing was changed.`
    : `${model.modelId} is in ${folder} now${how}.`;
}
