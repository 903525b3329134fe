import { setTimeout as sleep } from "node:timers/promises";

import type { Registry, Transfer } from "@cortex/model-db";

import { Speedometer, toProgress } from "./progress.ts";
import { deleteCancelled, runTransfer, type WorkOptions } from "./run-transfer.ts";

const LOOK_MS = 250;

/**
 * Stays with a transfer until it has ended or rests: does the work unless another process does, watches that one
 * meanwhile, and takes the work up when it ends.
 *
 * @returns the transfer: `done`, `failed`, `paused` or `cancelled`; or as it is when the signal is given.
 * @throws RegistryError `not_found`; as `runTransfer`.
 */
export async function followTransfer(
  registry: Registry,
  transferId: number,
  options: WorkOptions,
): Promise<Transfer> {
  const { signal, onProgress } = options;
  const speedometer = new Speedometer();
  for (;;) {
    const transfer = await registry.transfers.get(transferId);
    if (transfer.state !== "queued" && transfer.state !== "running") return transfer;
    if (signal?.aborted === true) return transfer;
    const claimed =
      transfer.state === "queued" ? await registry.transferWork.claim({ transferId }) : undefined;
    if (claimed !== undefined) {
      await runTransfer(registry, claimed, options);
      continue;
    }
    const done = new Map(transfer.files.map(({ path, doneBytes }) => [path, doneBytes]));
    onProgress?.(toProgress(transfer, (path) => done.get(path)!, speedometer));
    await sleep(LOOK_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/**
 * Gives a transfer up and deletes what it has written, unless another process works on it, which does that itself
 * within a second.
 *
 * @throws RegistryError as `transfers.cancel`.
 */
export async function cancelTransfer(
  registry: Registry,
  transferId: number,
  transfers: Pick<Registry["transfers"], "cancel"> = registry.transfers,
): Promise<Transfer> {
  const cancelled = await transfers.cancel(transferId);
  const claimed = await registry.transferWork.claimCancelled(transferId);
  return claimed === undefined ? cancelled : deleteCancelled(registry, claimed);
}
