import { EVENT_KINDS } from "@cortex/model-db";
import { z } from "zod";

const changed = z.record(z.string(), z.unknown()).nullable();

/** An entry of the history on the wire. */
export const eventSchema = z
  .object({
    event_id: z.int().positive().meta({ description: "Grows with each event; the order of events" }),
    model_id: z.string(),
    kind: z.enum(EVENT_KINDS),
    actor: z.string().meta({ description: "Who made the change" }),
    at: z.int().meta({ description: "Unix milliseconds" }),
    row_version: z.int(),
    before: changed.meta({ description: "The fields that changed, as they were" }),
    after: changed.meta({ description: "The fields that changed, as they are" }),
    origin: z
      .object({ address: z.string().nullable(), request_id: z.string().nullable() })
      .nullable()
      .meta({ description: "Where a change came from that was asked for over a network" }),
  })
  .meta({ id: "Event" });
