import type { EventKind, ModelEvent } from "@cortex/model-db";

/** Which events a listener wants; what is left out does not matter. */
export interface ListenFilter {
  readonly modelId?: string | undefined;
  readonly actor?: string | undefined;
  readonly kind?: readonly EventKind[] | undefined;
}

/** Whether a listener wants an event. */
export function wants(
  { modelId, actor, kind }: ListenFilter,
  event: Pick<ModelEvent, "modelId" | "actor" | "kind">,
): boolean {
  return (
    (modelId === undefined || event.modelId === modelId) &&
    (actor === undefined || event.actor === actor) &&
    (kind === undefined || kind.includes(event.kind))
  );
}
