import type { Readable } from "node:stream";

import { isRegistryError, RegistryError } from "@cortex/model-db";

import { unreachable, type HttpClient, type HttpResponse } from "../hub/http-client.ts";
import { failureOf } from "../hub/hub-failure.ts";
import type { ByteSource } from "./byte-source.ts";

const CHUNK_BYTES = 131_072;
const CONTENT_RANGE = /^bytes (\d+)-(\d+)\/(\d+)$/;

/** A file behind a URL, of which only what is asked for is fetched. */
export class RangeSource implements ByteSource {
  readonly name: string;
  readonly sizeBytes: number;
  readonly chunkBytes: number = CHUNK_BYTES;
  readonly #http: Pick<HttpClient, "request">;
  readonly #signal: AbortSignal | undefined;
  /** Comes with the answer that tells the size. */
  readonly #beginning: Buffer;

  private constructor(
    url: string,
    http: Pick<HttpClient, "request">,
    signal: AbortSignal | undefined,
    { sizeBytes, bytes }: Range,
  ) {
    this.name = url;
    this.sizeBytes = sizeBytes;
    this.#http = http;
    this.#signal = signal;
    this.#beginning = bytes;
  }

  /**
   * Asks a server for the beginning of a file.
   *
   * @param http how it is asked: redirects, tokens and forbidden addresses are its business.
   * @throws RegistryError `source_unreachable`, `not_found`, `permission_denied`; the signal's reason.
   */
  static async open(
    url: string,
    http: Pick<HttpClient, "request">,
    signal?: AbortSignal,
  ): Promise<RangeSource> {
    return new RangeSource(url, http, signal, await fetchRange(url, http, signal, 0, CHUNK_BYTES));
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const wanted = Math.max(0, Math.min(length, this.sizeBytes - offset));
    if (wanted === 0) return new Uint8Array();
    if (offset + wanted <= this.#beginning.length) return this.#beginning.subarray(offset, offset + wanted);
    const { bytes, sizeBytes } = await fetchRange(this.name, this.#http, this.#signal, offset, wanted);
    if (sizeBytes === this.sizeBytes) return bytes;
    throw unusable(this.name, "it changed while it was read");
  }
}

interface Range {
  readonly bytes: Buffer;
  /** Of the whole file. */
  readonly sizeBytes: number;
}

async function fetchRange(
  url: string,
  http: Pick<HttpClient, "request">,
  signal: AbortSignal | undefined,
  offset: number,
  length: number,
): Promise<Range> {
  const response = await http.request(url, {
    headers: { range: `bytes=${offset}-${offset + length - 1}` },
    signal,
  });
  try {
    const sizeBytes = sizeOf(url, response, offset);
    const bytes = await readUpTo(response.body, Math.min(length, sizeBytes - offset));
    return { bytes, sizeBytes };
  } catch (error) {
    signal?.throwIfAborted();
    throw isRegistryError(error) ? error : unreachable(url, error);
  } finally {
    response.discard();
  }
}

function sizeOf(url: string, response: HttpResponse, offset: number): number {
  // Nothing is in it, so that there is no range of it either.
  if (response.status === 416 && offset === 0) return 0;
  if (response.status === 206) {
    const [, start, , size] = CONTENT_RANGE.exec(response.headers.get("content-range") ?? "") ?? [];
    if (Number(start) === offset && Number.isSafeInteger(Number(size))) return Number(size);
    throw unusable(url, "its server sends another part than the one asked for");
  }
  if (response.status !== 200) throw failureOf(url, response);
  // A server that knows no ranges sends everything; the beginning of that will do.
  const size = Number(response.headers.get("content-length") ?? Number.NaN);
  if (offset === 0 && Number.isSafeInteger(size)) return size;
  throw unusable(url, "its server does not send parts of files");
}

/** The beginning of a body; the rest is not waited for. */
async function readUpTo(body: Readable, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  if (length > 0) {
    // What is left is discarded by who asked.
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= length) break;
    }
  }
  return Buffer.concat(chunks).subarray(0, length);
}

function unusable(url: string, why: string): RegistryError {
  return new RegistryError("source_unreachable", `${url} cannot be read: ${why}.`);
}
