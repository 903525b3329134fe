import { Speedometer } from "@cortex/model-sources";
import { z } from "zod";

import { streamAnswer } from "../../answer/stream-answer.ts";
import type { RequestContext } from "../../env.ts";
import { shuttingDown } from "../../readiness.ts";
import { route } from "../../route.ts";
import { toWireTransfer, TRANSFER_EXAMPLE } from "../../schemas/transfer.ts";
import { transferStates } from "../../sources/transfer-states.ts";
import { toTransferId, transferPath } from "./path.ts";

export const listenToTransfer = route({
  method: "get",
  path: "/v1/transfers/{transfer_id}/events",
  operationId: "listenToTransfer",
  summary: "How far a transfer is, as server-sent events, until it is done, failed or cancelled",
  description:
    "Each event is the transfer as it is: `event` its state, `data` its record with `bytes_per_second` and `remaining_ms` " +
    "(null where they are not known). The first comes at once, the last is that of its end; comments say that the stream is still there.",
  tag: "transfers",
  request: { path: transferPath },
  responses: {
    200: {
      description: "The stream",
      contentType: "text/event-stream",
      schema: z.string(),
      example: `event: running\ndata: ${JSON.stringify({ ...TRANSFER_EXAMPLE, bytes_per_second: 52_428_800, remaining_ms: 63_322 })}\n\n`,
    },
  },
  errors: ["not_found", "too_busy", "shutting_down"],
  handle: async (c, { path }) => {
    const { closing } = c.get("service");
    if (closing?.aborted === true) throw shuttingDown();
    const texts = framesOf(c, toTransferId(path.transfer_id), closing);
    // What is wrong with the request is said before the stream begins.
    const first = await texts.next();
    return streamAnswer(
      c,
      texts,
      {
        "content-type": "text/event-stream",
        "cache-control": "no-cache, no-transform",
        // https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
        "x-accel-buffering": "no",
      },
      first,
    );
  },
});

async function* framesOf(
  c: RequestContext,
  transferId: number,
  closing: AbortSignal | undefined,
): AsyncGenerator<string, undefined> {
  const { heartbeatMs } = c.get("service");
  const { transfers } = c.get("caller");
  const gone = c.req.raw.signal;
  const signal = closing === undefined ? gone : AbortSignal.any([gone, closing]);
  const speedometer = new Speedometer();
  const states = transferStates(() => transfers.get(transferId), { signal, repeatMs: heartbeatMs });
  for await (const { transfer, isNews } of states) {
    if (!isNews) {
      yield ": heartbeat\n\n";
      continue;
    }
    const speed = transfer.state === "running" ? speedometer.read(transfer.doneBytes) : null;
    const left = transfer.sizeBytes === null ? null : transfer.sizeBytes - transfer.doneBytes;
    const data = {
      ...toWireTransfer(transfer),
      bytes_per_second: speed === null ? null : Math.round(speed),
      remaining_ms: speed === null || speed <= 0 || left === null ? null : Math.round((left / speed) * 1000),
    };
    yield `event: ${transfer.state}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}
