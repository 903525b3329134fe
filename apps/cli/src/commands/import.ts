import { existsSync } from "node:fs";

import { formatSize, outcomeOf, RegistryError, toVisible } from "@cortex/model-db";
import {
  importModels,
  modelFolders,
  NO_REGISTRY,
  type ImportResult,
  type PlacingWay,
} from "@cortex/model-sources";

import { Interrupted, MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { untilInterrupted } from "../interrupt.ts";
import { locationOf } from "../location.ts";
import { openExisting, openOrCreate } from "../open.ts";
import { toListDocument } from "../output/json.ts";
import { startProgress } from "../output/progress.ts";
import { writeNote, writeOut } from "../output/stream.ts";

/** What `cortex import` takes. */
export interface ImportModelsOptions extends Everywhere {
  readonly paths: readonly string[];
  readonly modelId?: string;
  readonly alias?: string;
  readonly tag?: readonly string[];
  readonly copy?: boolean;
  readonly move?: boolean;
  readonly hardlink?: boolean;
  readonly dryRun?: boolean;
}

/**
 * Brings models that lie on this machine into the registry.
 *
 * @returns the exit code: that of the first that was refused.
 */
export async function importFiles(options: ImportModelsOptions): Promise<number> {
  if (options.paths.includes("")) throw new MisuseError("import needs paths of files or folders.");
  const { json = false, quiet = false, dryRun = false } = options;
  const way = wayOf(options);
  const signal = untilInterrupted();
  const progress = startProgress("% read", quiet || json);
  const results: ImportResult[] = [];
  try {
    // A dry run makes none.
    const isThere = !dryRun || existsSync(locationOf(options));
    await using registry = isThere ? await (dryRun ? openExisting : openOrCreate)(options) : undefined;
    await importModels(registry ?? NO_REGISTRY, {
      paths: options.paths,
      location: locationOf(options),
      way,
      folders: way && (await modelFolders(process.env, locationOf(options))),
      model: { modelId: options.modelId, alias: options.alias, tags: options.tag },
      dryRun,
      signal,
      onProgress: ({ doneBytes, totalBytes }) => progress.update(Math.floor((100 * doneBytes) / totalBytes)),
      onResult: (result) => {
        progress.end();
        results.push(result);
        if (!json || result.outcome === "refused")
          writeNote(`${describe(result, dryRun)}${unheard(result, options)}`);
      },
    });
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    throw error;
  } finally {
    progress.end();
  }
  if (results.length === 0) {
    throw new RegistryError(
      "not_found",
      `There is no model below ${options.paths.map(toVisible).join(", ")}.`,
    );
  }
  if (json) writeOut(toListDocument(results.map(toResultRecord)));
  else if (quiet)
    writeOut(
      results.map((result) => ("model" in result ? `${toVisible(result.model.modelId)}\n` : "")).join(""),
    );
  const refused = results.find((result) => result.outcome === "refused");
  return refused === undefined ? 0 : outcomeOf(refused.error.code).exitCode;
}

const WAYS = ["copy", "move", "hardlink"] as const;

function wayOf(options: ImportModelsOptions): PlacingWay | undefined {
  const ways = WAYS.filter((way) => options[way] === true);
  if (ways.length > 1) {
    throw new MisuseError(`A file comes into the models folder in one way: --${ways.join(" or --")}.`);
  }
  return ways[0];
}

function describe(result: ImportResult, dryRun: boolean): string {
  if (result.outcome === "refused") return toVisible(result.error.message);
  const { model, paths } = result;
  const size = model.sizeBytes === null ? "" : ` (${formatSize(model.sizeBytes)})`;
  const alias = model.alias === null || model.alias === model.modelId ? "" : ` as ${model.alias}`;
  const [path] = paths;
  const left = (result.left ?? []).map((original) => `; ${original} could not be taken away`).join("");
  const sentence = {
    imported: `${dryRun ? "Would import" : "Imported"} ${model.modelId}${alias}${size}: ${path}`,
    already_registered: `${path} is already registered as ${model.modelId}`,
    found_again: `${dryRun ? "Would find" : "Found"} the files of ${model.modelId} again: ${path}`,
  }[result.outcome];
  return toVisible(`${sentence}${left}`);
}

/** That what was said of a model is not taken up, since the registry has it already. */
function unheard(result: ImportResult, { modelId, alias, tag = [] }: ImportModelsOptions): string {
  if (result.outcome === "imported" || result.outcome === "refused") return "";
  const { model } = result;
  const isSo = (modelId ?? model.modelId) === model.modelId && (alias ?? model.alias) === model.alias;
  if (isSo && tag.length === 0) return "";
  return "; its names and tags stay as they are: `cortex alias` and `cortex tag` change them";
}

function toResultRecord(result: ImportResult): object {
  if (result.outcome === "refused") {
    const { code, message } = result.error;
    return { outcome: result.outcome, path: result.path, error: { code, message } };
  }
  const { outcome, model, paths, left } = result;
  const { modelId, alias, sizeBytes } = model;
  return { outcome, model_id: modelId, alias, size_bytes: sizeBytes, paths, ...(left && { left }) };
}
