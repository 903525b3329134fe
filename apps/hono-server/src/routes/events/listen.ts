import { EVENT_KINDS } from "@cortex/model-db";
import { z } from "zod";

import type { RequestContext } from "../../env.ts";
import { toMark, toRetry } from "../../events/event-frame.ts";
import { streamEvents } from "../../events/event-stream.ts";
import { sameIdentity } from "../../guard/same-identity.ts";
import { shuttingDown } from "../../readiness.ts";
import { invalidInput } from "../../request/invalid-input.ts";
import { route } from "../../route.ts";

// Not all at the same moment, after a restart.
const RETRY_MS = { least: 1000, most: 3000 };

export const listenToEvents = route({
  method: "get",
  path: "/v1/events",
  operationId: "listenToEvents",
  summary: "What happens, as server-sent events",
  description:
    "Every change is an event: `id` is its event_id, `event` its kind, `data` its record as in the history. " +
    "Whoever comes back with `Last-Event-ID` (or `after`) gets what it missed and goes on, with nothing left out or sent twice. " +
    "A stream that begins now opens with `ready`, whose id is where it begins. " +
    "One that asks for events after one that never was (of another registry, or of one that was put back from a backup) opens with `reset`: read the lists anew; the stream goes on from its id. " +
    "Comments say that the stream is still there and, at its end, why it ended.",
  tag: "events",
  request: {
    query: z.strictObject({
      after: z
        .string()
        .optional()
        .meta({ description: "The id of the last event that is known; 0: from the beginning", example: "0" }),
      model_id: z.string().optional().meta({ description: "Only what happens to this model" }),
      kind: z
        .array(z.enum(EVENT_KINDS))
        .optional()
        .meta({ description: "Only these kinds of events; may be repeated" }),
      actor: z.string().optional().meta({ description: "Only what this one has done" }),
    }),
    headers: z.object({
      "last-event-id": z
        .string()
        .optional()
        .meta({ description: "The id of the last event that is known; clients send it when they come back" }),
    }),
  },
  responses: {
    200: {
      description: "The stream",
      contentType: "text/event-stream",
      schema: z.string(),
      example:
        'id: 42\nevent: tagged\ndata: {"event_id":42,"model_id":"tinyllama:1b-gguf","kind":"tagged","actor":"ada","at":1767225600000,"row_version":3,"before":{"tags":[]},"after":{"tags":["chat"]}}\n\n',
    },
  },
  errors: ["too_busy", "shutting_down"],
  handle: async (c, { query }) => {
    const { hub, heartbeatMs } = c.get("service");
    if (hub.isClosed) {
      throw shuttingDown();
    }
    const { history } = c.get("caller");
    const filter = { modelId: query.model_id, actor: query.actor, kind: query.kind };
    // What is wrong with a filter is said before the stream begins. Nothing is before the first event.
    await history.list({ ...filter, cursor: "0", limit: 1 });
    const known = knownEventId(c, query.after);
    const newest = await history.latestEventId();
    const isKnown = known !== undefined && known <= newest;
    const retry = toRetry(RETRY_MS.least + Math.floor(Math.random() * (RETRY_MS.most - RETRY_MS.least)));
    const body = streamEvents(hub, {
      caller: c.get("caller"),
      isAllowed: sameIdentity(c),
      filter,
      after: isKnown ? known : newest,
      opening: isKnown ? [retry] : [retry, toMark(known === undefined ? "ready" : "reset", newest)],
      heartbeatMs,
      abandon: () => c.env?.outgoing?.destroy(),
    });
    return new Response(body, {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-cache, no-transform",
        // https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
        "x-accel-buffering": "no",
      },
    });
  },
});

// A client that comes back asks for the same address, so the header is the newer word.
function knownEventId(c: RequestContext, after: string | undefined): number | undefined {
  const header = c.req.header("last-event-id");
  if (header !== undefined && header !== "") return parseEventId("last-event-id", header);
  return after === undefined ? undefined : parseEventId("after", after);
}

function parseEventId(field: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalidInput(field, `${field} must be the id of an event.`);
}
