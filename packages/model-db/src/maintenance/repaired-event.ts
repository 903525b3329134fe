import type { ModelEvent } from "../domain/event.ts";
import { toEventRow, type EventTable } from "../schema/event.ts";
import type { Assembly } from "./assemble.ts";
import type { AssemblyReport, EventRange } from "./assembly-report.ts";
import type { RegistryContent } from "./build-registry.ts";

// How many ids stay unused behind the newest event that was found: those of events that are lost with the end of
// the history must not be given again, since leases and readers of the history go by them.
const UNUSED_IDS = 1_000_000;

/**
 * The event that tells of a repair, and of what it could not bring back. It belongs to no model. The ids
 * that it names are missing from the history for good, and no damage any more.
 *
 * @param setAside the name of the folder with the damaged files; `null` where there were none.
 * @param at Unix milliseconds.
 */
function toRepairedEvent(
  {
    models,
    missingEvents,
    newestEventId,
  }: Pick<AssemblyReport, "models" | "missingEvents" | "newestEventId">,
  setAside: string | null,
  at: number,
): ModelEvent {
  const eventId = newestEventId + UNUSED_IDS + 1;
  const named = (state: string): string[] =>
    models.filter((model) => model.state === state).map(({ modelId }) => modelId);
  const missing = [...missingEvents, [newestEventId + 1, eventId - 1]] as [number, number][];
  return {
    eventId,
    modelId: "",
    kind: "repaired",
    actor: "registry",
    at,
    rowVersion: 0,
    before: null,
    after: {
      set_aside: setAside,
      missing_events: missing,
      lost_models: named("lost"),
      uncertain_models: named("uncertain"),
    },
    origin: null,
  };
}

/**
 * What a registry consists of that was put together: its history goes on with the event that tells of
 * it, and with what that entails.
 */
export function rebuiltContent(
  assembly: Assembly,
  setAside: string | null,
  at: number,
): Pick<RegistryContent, "models" | "events"> {
  return { models: assembly.models(), events: events() };

  function* events(): Generator<EventTable> {
    yield* assembly.events();
    const repaired = toRepairedEvent(assembly.report, setAside, at);
    yield toEventRow(repaired);
    let { eventId } = repaired;
    for (const event of assembly.amendments()) yield toEventRow({ eventId: ++eventId, ...event });
  }
}

/** The ids that were missing when a repair was made, by the event that tells of it. */
export function missedBefore(event: ModelEvent): EventRange[] {
  const missing = event.kind === "repaired" ? event.after?.["missing_events"] : undefined;
  return Array.isArray(missing) ? (missing as unknown as EventRange[]) : [];
}

/** The models that were lost when a repair was made, by the event that tells of it. */
export function lostBefore(event: ModelEvent): string[] {
  const lost = event.kind === "repaired" ? event.after?.["lost_models"] : undefined;
  return Array.isArray(lost) ? (lost as string[]) : [];
}
