import { access, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { npmInstall, run } from "./installed-package.ts";

/**
 * A Node older than the oldest that the programs run on: the machine's own where it is one, else version 20
 * from the registry, installed below `folder`. Undefined when neither can be had.
 */
export async function findOldNode(folder: string): Promise<string | undefined> {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  for (const bin of folders.filter((entry) => !entry.includes("node_modules"))) {
    const node = path.join(bin, "node");
    if (await isOld(node)) return node;
  }
  const project = path.join(folder, "old-node");
  await mkdir(project);
  await writeFile(path.join(project, "package.json"), '{ "private": true }\n');
  try {
    await npmInstall(["node@20"], project);
  } catch (error) {
    console.warn(`No Node 20 to be had from the registry: ${String(error)}`);
    return undefined;
  }
  const node = path.join(project, "node_modules", "node", "bin", "node");
  return (await isOld(node)) ? node : undefined;
}

async function isOld(node: string): Promise<boolean> {
  try {
    await access(node);
    const { stdout } = await run(node, ["--version"], path.dirname(node));
    return Number(/^v(\d+)\./.exec(stdout)?.[1]) < 22;
  } catch {
    return false;
  }
}
