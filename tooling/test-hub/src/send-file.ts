import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import type { Content } from "./content.ts";
import type { Fault } from "./faults.ts";

const DRIP_MS = 20;

/** Answers with a file, or the one range of it that was asked for, as wrongly as it is told to. */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  content: Content,
  headers: Readonly<Record<string, string>>,
  faults: readonly Fault[],
): Promise<void> {
  const size = find(faults, "size")?.sizeBytes ?? content.sizeBytes;
  const range =
    find(faults, "ignore-range") === undefined ? rangeOf(request, size, headers["etag"]) : undefined;
  if (range === "unsatisfiable") {
    response.writeHead(416, { ...headers, "content-range": `bytes */${size}`, "content-length": 0 });
    response.end();
    return;
  }
  const [start, end] = range ?? [0, size];
  response.writeHead(range === undefined ? 200 : 206, {
    "content-type": "application/octet-stream",
    ...(find(faults, "ignore-range") === undefined && { "accept-ranges": "bytes" }),
    ...headers,
    "content-length": end - start,
    ...(range !== undefined && { "content-range": `bytes ${start}-${end - 1}/${size}` }),
  });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  await sendBytes(response, content, start, end, faults);
}

async function sendBytes(
  response: ServerResponse,
  content: Content,
  start: number,
  end: number,
  faults: readonly Fault[],
): Promise<void> {
  const reached = (at: number | undefined): number =>
    at !== undefined && at >= start && at < end ? at : end;
  const cutAt = reached(find(faults, "cut")?.atByte);
  const stallAt = reached(find(faults, "stall")?.atByte);
  const flipAt = find(faults, "flip")?.atByte;
  const drip = find(faults, "drip")?.bytesPerSecond;
  const stopAt = Math.min(cutAt, stallAt);
  let at = start;
  for (const slice of content.slices(start, stopAt)) {
    const bytes = flipped(slice, flipAt === undefined ? -1 : flipAt - at);
    at += bytes.length;
    if (drip !== undefined) await sendSlowly(response, bytes, drip);
    else if (!response.write(bytes)) await drained(response);
    if (response.destroyed) return;
  }
  if (stopAt === end) {
    response.end();
  } else if (cutAt === stopAt) {
    // What was written goes out first.
    response.write("", () => response.destroy());
  } else {
    response.flushHeaders();
  }
}

function flipped(slice: Buffer, at: number): Buffer {
  if (at < 0 || at >= slice.length) return slice;
  const copy = Buffer.from(slice);
  copy[at] = ~(copy[at] ?? 0);
  return copy;
}

async function sendSlowly(response: ServerResponse, bytes: Buffer, bytesPerSecond: number): Promise<void> {
  const step = Math.max(1, Math.round((bytesPerSecond * DRIP_MS) / 1000));
  for (let at = 0; at < bytes.length && !response.destroyed; at += step) {
    // Before it, so that an answer is over when its last byte is sent.
    await sleep((step / bytesPerSecond) * 1000);
    response.write(bytes.subarray(at, at + step));
  }
}

async function drained(response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  const close = (): void => gone.abort();
  response.once("close", close);
  try {
    await once(response, "drain", { signal: gone.signal });
  } catch {
    // Whoever asked has gone.
  } finally {
    response.off("close", close);
  }
}

type Range = readonly [start: number, end: number];

function rangeOf(
  request: IncomingMessage,
  size: number,
  etag: string | undefined,
): Range | "unsatisfiable" | undefined {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  if (from === undefined || to === undefined || `${from}${to}` === "") return undefined;
  const condition = request.headers["if-range"];
  if (condition !== undefined && condition !== etag) return undefined;
  if (from === "") return [Math.max(0, size - Number(to)), size];
  const start = Number(from);
  if (start >= size) return "unsatisfiable";
  return [start, to === "" ? size : Math.min(Number(to) + 1, size)];
}

function find<Kind extends Fault["kind"]>(
  faults: readonly Fault[],
  kind: Kind,
): Extract<Fault, { kind: Kind }> | undefined {
  return faults.find((fault): fault is Extract<Fault, { kind: Kind }> => fault.kind === kind);
}
