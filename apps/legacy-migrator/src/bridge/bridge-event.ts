import type { ReportEntry } from "../report-entry.ts";
import type { Conflict } from "./merge-lists.ts";

/** What a bridge did, as data; one of them is one line of `--json`. */
export type BridgeEvent =
  | { readonly kind: "started"; readonly list: string; readonly registry: string; readonly once: boolean }
  /** A line that was new in the file: what became of it. */
  | ({ readonly kind: "line" } & ReportEntry)
  | { readonly kind: "updated"; readonly model_id: string; readonly fields: Readonly<Record<string, string>> }
  | { readonly kind: "deleted"; readonly model_id: string }
  /** What the file said of a model, and the registry did not take over. */
  | { readonly kind: "conflict"; readonly model_id: string; readonly why: string }
  /** Lines that were gone from the file and come back. */
  | {
      readonly kind: "kept";
      readonly count: number;
      readonly model_ids: readonly string[];
      readonly why: string;
    }
  /** A copy of a file that was not taken as it was. */
  | { readonly kind: "set_aside"; readonly path: string; readonly why: string }
  /** A model that the file cannot hold. */
  | { readonly kind: "left_out"; readonly model_id: string; readonly why: string }
  | { readonly kind: "missing" }
  | { readonly kind: "written"; readonly models: number }
  /** Something is in the way, and is tried again. */
  | { readonly kind: "waiting"; readonly why: string }
  | ({ readonly kind: "stopped" } & BridgeCounts);

/** What a bridge did in all. */
export interface BridgeCounts {
  /** Models that came from the file. */
  readonly created: number;
  readonly updated: number;
  readonly deleted: number;
  readonly conflicts: number;
  /** Lines that came back. */
  readonly kept: number;
  /** Lines that could not be taken over. */
  readonly refused: number;
  /** How often the file was written. */
  readonly written: number;
  readonly set_aside: number;
}

/** A conflict as an event. */
export function conflictEvent({ modelId, why }: Conflict): BridgeEvent {
  return { kind: "conflict", model_id: modelId, why };
}
