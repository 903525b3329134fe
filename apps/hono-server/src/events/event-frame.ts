import { toEventRecord, type ModelEvent } from "@cortex/model-db";

const encoder = new TextEncoder();

/** A change as a server-sent event: its id to resume by, its kind, its record. */
export function toFrame(event: ModelEvent): Uint8Array {
  return encoder.encode(
    `id: ${event.eventId}\nevent: ${event.kind}\ndata: ${JSON.stringify(toEventRecord(event))}\n\n`,
  );
}

/** Tells a client where it stands: with this id it goes on from here. */
export function toMark(name: "ready" | "reset", eventId: number): Uint8Array {
  return encoder.encode(`id: ${eventId}\nevent: ${name}\ndata: {"event_id":${eventId}}\n\n`);
}

/** Tells a client how long to wait before it connects anew, in milliseconds. */
export function toRetry(retryMs: number): Uint8Array {
  return encoder.encode(`retry: ${retryMs}\n\n`);
}

/** A line that clients pass over. */
export function toComment(text: string): Uint8Array {
  return encoder.encode(`: ${text}\n\n`);
}

/** Frames as one piece to send. */
export function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  return frames.length === 1 ? frames[0]! : Buffer.concat(frames);
}
