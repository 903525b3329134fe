import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";

import { models } from "../dataset.ts";

/** One line of the old program's `model.list`. */
export interface ListLine {
  modelId: string;
  authorRepo: string;
  branch: string;
  configPath: string;
  alias: string;
  status: string;
}

/** Writes the models of a registry of a size as the old program's `model.list`: a line each. */
export function writeModelList(path: string, size: number): void {
  const file = openSync(path, "w");
  let lines: string[] = [];
  for (const model of models(0, size)) {
    lines.push(toLine({ ...model, branch: "main", configPath: model.configPath ?? "", status: "READY" }));
    if (lines.length < 10_000) continue;
    writeSync(file, lines.join(""));
    lines = [];
  }
  writeSync(file, lines.join(""));
  closeSync(file);
}

/** Reads all of it, as the old program did for every question. */
export function readModelList(path: string): ListLine[] {
  const read: ListLine[] = [];
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const [modelId, authorRepo, branch, configPath, alias, status] = line.split(" ");
    if (status === undefined) continue;
    read.push({
      modelId: modelId!,
      authorRepo: authorRepo!,
      branch: branch!,
      configPath: configPath!,
      alias: alias!,
      status,
    });
  }
  return read;
}

/** Writes all of it again, as the old program did for every change, and so that it survives a crash. */
export function rewriteModelList(path: string, lines: readonly ListLine[]): void {
  writeFileSync(`${path}.new`, lines.map(toLine).join(""));
  const file = openSync(`${path}.new`, "r+");
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.new`, path);
}

function toLine({ modelId, authorRepo, branch, configPath, alias, status }: ListLine): string {
  return `${modelId} ${authorRepo} ${branch} ${configPath} ${alias} ${status}\n`;
}
