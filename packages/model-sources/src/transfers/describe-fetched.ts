import { lstat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";

import {
  isRegistryError,
  type FetchedModel,
  type NewModelFile,
  type Registry,
  type Transfer,
  type TransferFile,
} from "@cortex/model-db";

import type { ModelFacts } from "../facts/model-facts.ts";
import { recordOfFacts } from "../facts/record-of-facts.ts";
import { modelsInFolder } from "../import/models-in-folder.ts";
import { seenFrom } from "../recorded-path.ts";
import { quantizationIn } from "../reference/quantization-in.ts";
import { writeModelYml } from "./model-yml.ts";
import { toSourceMetadata } from "./pulled-from.ts";

/** A file that is in its place and was verified. */
export interface FetchedFile {
  readonly file: TransferFile;
  /** Whether it was fetched, now or before, and not put there by somebody else. */
  readonly isOurs: boolean;
  /** Absolute. */
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * What becomes of a model's record when its files are here: what they say, and where they came from. The file by
 * which clients of the old program know the model is written beside them.
 */
export async function describeFetched(
  registry: Registry,
  transfer: Transfer,
  fetched: readonly FetchedFile[],
): Promise<FetchedModel> {
  const weights = fetched.filter(({ file }) => file.role === "weights");
  const [first] = weights as [FetchedFile, ...FetchedFile[]];
  const config = fetched.find(({ path }) => basename(path) === "model.yml");
  const projector = fetched.find(({ file }) => file.role === "mmproj");
  const sizeBytes = [...weights, ...(projector === undefined ? [] : [projector])].reduce(
    (sum, file) => sum + file.sizeBytes,
    0,
  );
  const facts = await factsOf(weights, fetched);
  const said = facts === undefined ? saidByItsName(first.path) : recordOfFacts(facts);
  const ymlPath = config?.path ?? ymlBeside(first.path);
  const dataFolder = dirname(registry.location);
  const isOurYml = config?.isOurs ?? (ymlPath !== undefined && (await isOurs(registry, ymlPath)));
  const hasYml =
    ymlPath !== undefined &&
    (await writeModelYml(
      ymlPath,
      dataFolder,
      {
        modelId: transfer.modelId,
        weights: weights.map(({ path }) => path),
        projector: projector?.path,
        sizeBytes,
        facts,
      },
      isOurYml,
    ));
  const verifiedAt = Date.now();
  const files = fetched
    .filter(({ path }) => path !== ymlPath)
    .map(({ file, isOurs: wasFetched, path, sha256, sizeBytes: size }): NewModelFile => {
      const source = wasFetched ? file.url : null;
      return { path, role: file.role, sha256, sizeBytes: size, verifiedAt, source };
    });
  // Old programs change it: nothing is recorded of its content.
  if (hasYml) {
    const source = isOurYml ? (config ?? first).file.url : null;
    files.push({ path: ymlPath, role: "config", source });
  }
  return {
    ...said,
    authorRepo: transfer.repository?.split("/")[0] ?? null,
    branch: transfer.branch,
    configPath: hasYml ? seenFrom(dataFolder, ymlPath) : null,
    sizeBytes,
    metadata: { ...said.metadata, ...toSourceMetadata(transfer) },
    files,
  };
}

/** Whether a file is one that we have written, or that nobody has. */
async function isOurs({ files }: Registry, path: string): Promise<boolean> {
  if ((await files.listAt([path])).some(({ source }) => source !== null)) return true;
  return (await lstat(path).catch(() => undefined)) === undefined;
}

/** What the files say; `undefined` where they are of no kind that is known. */
async function factsOf(
  weights: readonly FetchedFile[],
  fetched: readonly FetchedFile[],
): Promise<ModelFacts | undefined> {
  const folder = dirname(weights[0]!.path);
  const beside = fetched.filter(({ path }) => dirname(path) === folder);
  const models = modelsInFolder(
    folder,
    beside.map(({ path }) => basename(path)),
  );
  try {
    return (await models[0]?.read())?.facts;
  } catch (error) {
    // What the source says that it is, it is: that nobody here can read it is no reason to throw it away.
    if (isRegistryError(error) && error.code === "invalid_input") return undefined;
    throw error;
  }
}

function saidByItsName(path: string): Pick<FetchedModel, "format" | "quantization" | "metadata"> {
  const format = extname(path).slice(1).toLowerCase();
  return { format, quantization: quantizationIn(path), metadata: {} };
}

/** Where the old program keeps what it knows of a GGUF file. */
function ymlBeside(path: string): string | undefined {
  const extension = extname(path);
  if (extension.toLowerCase() !== ".gguf") return undefined;
  return join(dirname(path), `${basename(path, extension)}.yml`);
}
