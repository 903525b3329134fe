import type { JsonObject } from "./model.ts";

/**
 * What can happen to a model. `expired`: its lease was found to have run out. `repaired` happens to the
 * registry as a whole, and belongs to no model.
 */
export const EVENT_KINDS = [
  "created",
  "updated",
  "aliased",
  "tagged",
  "files_changed",
  "started",
  "stopped",
  "expired",
  "deleted",
  "repaired",
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** Where a change came from that was asked for over a network. */
export interface EventOrigin {
  readonly address: string | null;
  readonly requestId: string | null;
}

/**
 * One entry of the history. `before` and `after` hold only the fields that changed, in snake_case;
 * `created` has the record in `after`, `deleted` in
 * `before`, each without what is unknown or empty.
 */
export interface ModelEvent {
  /** Grows with each event of the registry; events are in this order, whatever the clock says. */
  readonly eventId: number;
  readonly modelId: string;
  readonly kind: EventKind;
  readonly actor: string;
  /** Unix milliseconds. */
  readonly at: number;
  /** The model's `rowVersion` after the change. */
  readonly rowVersion: number;
  readonly before: JsonObject | null;
  readonly after: JsonObject | null;
  /** `null`: made on the machine itself. */
  readonly origin: EventOrigin | null;
}
