import { homedir } from "node:os";

import { formatSize, toVisible } from "@cortex/model-db";
import { diskUsage, modelFolders, type DiskUsage, type StoreUsage, type Usage } from "@cortex/model-sources";

import type { Everywhere } from "../everywhere.ts";
import { openForReading } from "../open.ts";
import { painter } from "../output/color.ts";
import { toDocument } from "../output/json.ts";
import { outputColumns, writeNote, writeOut } from "../output/stream.ts";
import { toTable } from "../output/table.ts";

/** Prints what the models' files take on the disk, by where they lie, their source and their author. With `-q`, the bytes. */
export async function df(options: Everywhere): Promise<void> {
  const registry = await openForReading(options);
  if (registry === undefined) return;
  const usage = await diskUsage(registry, await modelFolders(process.env, registry.location), {
    env: process.env,
    home: homedir(),
    platform: process.platform,
  });
  await registry.close();
  if (options.quiet === true) {
    writeOut(`${usage.usedBytes}\n`);
  } else if (options.json === true) {
    writeOut(toDocument(toUsageRecord(usage)));
  } else {
    const width = outputColumns();
    for (const [title, rows, unknown] of [
      ["STORE", usage.byStore.map(named), "elsewhere"],
      ["SOURCE", usage.bySource, "unknown"],
      ["AUTHOR", usage.byAuthor, "unknown"],
    ] as const) {
      if (rows.length === 0) continue;
      const cells = rows.map((row) => toCells(row, unknown));
      writeOut(`${toTable(columnsUnder(title), cells, painter(1, options.color), width)}\n`);
    }
    writeNote(summary(usage));
  }
}

function named({ store, path, ...usage }: StoreUsage): Usage {
  return { name: path === null ? null : `${store} ${path}`, ...usage };
}

function columnsUnder(title: string): Parameters<typeof toTable>[0] {
  return [
    { title, least: 16, keep: "both" },
    { title: "MODELS", align: "right", sacrifice: 2 },
    { title: "FILES", align: "right", sacrifice: 3 },
    { title: "SIZE", align: "right" },
    { title: "SHARED", align: "right", sacrifice: 1 },
  ];
}

function toCells({ name, models, files, usedBytes, sharedBytes }: Usage, unknown: string): string[] {
  return [
    toVisible(name ?? unknown),
    String(models),
    String(files),
    formatSize(usedBytes),
    sharedBytes === 0 ? "" : formatSize(sharedBytes),
  ];
}

function summary({ usedBytes, savedBytes, partialBytes, missingFiles, folders }: DiskUsage): string {
  const lines = [`${formatSize(usedBytes)} in all, each content once`];
  if (savedBytes > 0) lines.push(`${formatSize(savedBytes)} more if nothing were shared`);
  if (partialBytes > 0)
    lines.push(`${formatSize(partialBytes)} of it is not whole yet: see \`cortex prune\``);
  if (missingFiles > 0)
    lines.push(
      `${missingFiles} ${missingFiles === 1 ? "file is" : "files are"} not there: see \`cortex verify\``,
    );
  for (const { path, freeBytes, isWritable } of folders) {
    lines.push(
      toVisible(`${formatSize(freeBytes)} free in ${path}${isWritable ? "" : ", which is read-only"}`),
    );
  }
  return lines.join("\n");
}

function toUsageRecord(usage: DiskUsage): object {
  return {
    used_bytes: usage.usedBytes,
    saved_bytes: usage.savedBytes,
    partial_bytes: usage.partialBytes,
    missing_files: usage.missingFiles,
    by_store: usage.byStore.map(({ store, path, ...rest }) => ({ store, path, ...toUsage(rest) })),
    by_source: toRecords("source_type", usage.bySource),
    by_author: toRecords("author_repo", usage.byAuthor),
    folders: usage.folders.map(({ path, isWritable, freeBytes }) => ({
      path,
      writable: isWritable,
      free_bytes: freeBytes,
    })),
  };
}

function toRecords(word: string, rows: readonly Usage[]): object[] {
  return rows.map(({ name, ...rest }) => ({ [word]: name, ...toUsage(rest) }));
}

function toUsage({ models, files, usedBytes, sharedBytes }: Omit<Usage, "name">): object {
  return { models, files, used_bytes: usedBytes, shared_bytes: sharedBytes };
}
