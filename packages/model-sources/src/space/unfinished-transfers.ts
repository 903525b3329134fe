import type { Repositories } from "@cortex/model-db";

/** How many transfers there are of a model that have not ended: they go on, or wait for somebody. */
export async function unfinishedTransfers(
  { transfers }: Pick<Repositories, "transfers">,
  modelId: string,
): Promise<number> {
  const { items } = await transfers.list({
    modelId,
    state: ["queued", "running", "paused", "failed"],
    limit: 1,
  });
  return items.length;
}
