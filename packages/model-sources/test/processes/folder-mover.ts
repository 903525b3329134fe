// Moves the model `a` of the registry in argv[2] from argv[3] to argv[4], and kills itself before the change of a file
// or a folder with the number argv[5]. With argv[6] the folders are on file systems of their own.
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

import { openRegistry } from "@cortex/model-db";

const [location = "", from = "", to = "", number = "", apart = ""] = process.argv.slice(2);
let left = Number(number);

function change(): void {
  if (left-- === 0) process.kill(process.pid, "SIGKILL");
}

const { link, rename, rm, mkdir, open } = fs;
fs.link = async (...args) => {
  change();
  // As a file system without links says it: what it takes then is a copy.
  if (apart !== "") throw Object.assign(new Error("no links"), { code: "EPERM" });
  return link(...args);
};
fs.rename = async (...args) => {
  change();
  return rename(...args);
};
fs.rm = async (...args) => {
  change();
  return rm(...args);
};
fs.mkdir = (async (path: string) => {
  change();
  return mkdir(path);
}) as typeof mkdir;
fs.open = async (path, flags, ...args) => {
  if (flags !== "r") change();
  return open(path, flags, ...args);
};
syncBuiltinESMExports();

const { moveModel } = await import("../../src/folders/move-model.ts");
const registry = await openRegistry(location, { actor: "mover" });
const folders = [from, to].map((path) => ({ path, isWritable: true }));
const { leftOver, files } = await moveModel(registry, "a", to, { folders });
await registry.close();
process.stdout.write(JSON.stringify({ files: files.length, leftOver: leftOver.length }));
