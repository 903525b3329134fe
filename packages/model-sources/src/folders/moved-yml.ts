import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";

import { isMap, isScalar, isSeq, parseDocument, type Scalar } from "yaml";

import { seenFrom } from "../recorded-path.ts";

const MAX_BYTES = 1024 * 1024;
// Where the old program's file beside a model names others.
const KEYS = ["files", "mmproj"];

/**
 * The old program's YAML of a model, as it reads when files have moved: everything else in it stays.
 *
 * @param dataFolder where relative paths in it begin.
 * @returns `undefined` for what is no such file, or names none of them.
 */
export async function movedYml(
  path: string,
  dataFolder: string,
  moves: readonly { readonly from: string; readonly to: string }[],
): Promise<string | undefined> {
  if (!/\.ya?ml$/i.test(path) || (await stat(path)).size > MAX_BYTES) return undefined;
  const document = parseDocument(await readFile(path, "utf8"), { logLevel: "silent", uniqueKeys: false });
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined;
  const named: Scalar[] = [];
  for (const key of KEYS) {
    const value = document.get(key, true);
    named.push(...(isSeq(value) ? value.items : [value]).filter((item): item is Scalar => isScalar(item)));
  }
  let hasMoved = false;
  for (const item of named) {
    if (typeof item.value !== "string") continue;
    const from = resolve(dataFolder, item.value);
    const move = moves.find((one) => one.from === from);
    if (move === undefined) continue;
    item.value = seenFrom(dataFolder, move.to);
    hasMoved = true;
  }
  return hasMoved ? document.toString({ lineWidth: 0 }) : undefined;
}
