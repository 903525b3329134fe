import { RegistryError, type Registry, type Transfer } from "@cortex/model-db";

import type { ModelsFolder } from "../folders/models-folder.ts";
import type { Hub } from "../hub/hub.ts";
import { planPull } from "../transfers/plan-pull.ts";
import type { RevisionCheck } from "./check-revisions.ts";
import { heldModel } from "./inventory.ts";
import { keepRevision } from "./keep-revision.ts";
import { whyNotOurs } from "./written-by-us.ts";

/** What was asked for to bring a model up to date. */
export interface RequestedUpdate {
  /** The job that fetches the newer revision; it is for the caller to follow. */
  readonly transfer: Transfer;
  /** The model that the revision so far is kept as, until it is pruned. */
  readonly keptId: string | undefined;
}

/**
 * Asks for the newer revision of a model to be fetched in its place. The model stays what it is until all of that is
 * here and verified, and is kept under its commit then.
 *
 * @param check of an outdated model.
 * @returns `undefined` where it is here already.
 * @throws RegistryError as `planPull` and `transfers.request`; `checksum_mismatch` where somebody has put something
 *   else in the place of one of its files; `not_found` where its repository has no such model any
 *   more.
 */
export async function requestUpdate(
  registry: Registry,
  folders: readonly ModelsFolder[],
  hub: Hub,
  check: RevisionCheck,
  signal?: AbortSignal,
): Promise<RequestedUpdate | undefined> {
  const { modelId } = check.model;
  const plan = await planPull(registry, check.reference, { hub, folders, signal });
  if (plan.kind === "here") return undefined;
  if (plan.transfer.modelId !== modelId) {
    throw new RegistryError(
      "not_found",
      `${check.reference} is ${plan.transfer.modelId} by now, and not ${modelId}: pull that, if you want it.`,
    );
  }
  await checkIsAsFetched(registry, folders, check);
  const keptId = await keepRevision(registry, folders, check);
  const { transfer } = await registry.transfers.request(plan.transfer);
  return { transfer, keptId };
}

/** Insists that nobody has put something of their own in the place of a fetched file: it would be replaced. */
async function checkIsAsFetched(
  registry: Registry,
  folders: readonly ModelsFolder[],
  { model }: RevisionCheck,
): Promise<void> {
  const recorded = await registry.files.list(model.modelId);
  const { files } = await heldModel(model, recorded, registry.location, folders);
  for (const held of files) {
    if (held.onDisk === undefined || held.file.source === null || held.folder?.isWritable !== true) continue;
    const why = whyNotOurs(held);
    if (why === undefined) continue;
    throw new RegistryError(
      "checksum_mismatch",
      `${held.path} ${why}. Move it away, or let \`cortex verify --repair\` keep it beside a good copy, then update again.`,
    );
  }
}
