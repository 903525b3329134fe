import { totalmem } from "node:os";

import { formatCount, formatSize, type Model, type Registry } from "@cortex/model-db";
import { fitOfModel, type MemoryNeed } from "@cortex/model-sources";

/** What it takes to run a model here. */
export interface Fit extends MemoryNeed {
  /** The memory of this machine, in bytes; that of its graphics cards is not known. */
  readonly machineBytes: number;
}

/** @param contextLength tokens; the model's own when left out. */
export async function fitOf(
  registry: Registry,
  model: Model,
  contextLength: number | undefined,
): Promise<Fit> {
  const files = await registry.files.list(model.modelId);
  const need = await fitOfModel(model, files, registry.location, contextLength);
  return { ...need, machineBytes: totalmem() };
}

/** The estimate as data. */
export function toFitRecord(fit: Fit): object {
  return {
    context_length: fit.contextLength,
    weights_bytes: fit.weightsBytes,
    kv_cache_bytes: fit.kvCacheBytes,
    compute_bytes: fit.computeBytes,
    total_bytes: fit.totalBytes,
    machine_bytes: fit.machineBytes,
    caveats: fit.caveats,
  };
}

/** The estimate for people: names and values. */
export function describeFit(fit: Fit): [name: string, value: string][] {
  const { kvCacheBytes: cache } = fit;
  const total = sizeOrUnknown(fit.totalBytes);
  const caches =
    cache === null
      ? "not known"
      : `${formatSize(cache.f16)} (q8_0: ${formatSize(cache.q8_0)}, q4_0: ${formatSize(cache.q4_0)})`;
  const lines = [
    `about ${total} for ${formatCount(fit.contextLength)} (${fit.contextLength}) tokens; this machine has ${formatSize(fit.machineBytes)}`,
    `weights: ${sizeOrUnknown(fit.weightsBytes)}`,
    `cache: ${caches}`,
    `compute: ${sizeOrUnknown(fit.computeBytes)}`,
    ...fit.caveats,
  ];
  return [["fit", lines.join("\n")]];
}

function sizeOrUnknown(bytes: number | null): string {
  return bytes === null ? "not known" : formatSize(bytes);
}
