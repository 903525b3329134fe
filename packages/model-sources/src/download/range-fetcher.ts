import { isRegistryError } from "@cortex/model-db";

import { SPARE_BYTES, putInto, type ByteSink } from "../hub/byte-sink.ts";
import type { DirectConnection } from "../hub/direct-connection.ts";
import { bareEtag, fileState } from "../hub/file-state.ts";
import { COMMON_HEADERS, unreachable, type HttpClient, type HttpResponse } from "../hub/http-client.ts";
import { failureOf } from "../hub/hub-failure.ts";
import type { RemoteFile } from "../hub/remote-model.ts";
import { waitToRetry } from "../hub/retries.ts";
import type { ByteRange } from "./byte-ranges.ts";
import { FileChanged } from "./download-failures.ts";
import type { RateLimit } from "./rate-limit.ts";

// Slower than this for as long as a server may be silent is as good as silent.
const MIN_BYTES_PER_SECOND = 100;
// Whoever brings less before it breaks has not begun to work.
const PROGRESS_BYTES = 16 * 1024;

/** That a server answered with the whole file when a part was asked for. */
export class RangesIgnored extends Error {
  constructor() {
    super("it sends nothing but the whole file, and the connection was cut");
  }
}

interface RangeFetcherOptions {
  readonly file: Omit<RemoteFile, "path">;
  readonly http: HttpClient;
  readonly rateLimit?: RateLimit | undefined;
}

/** Fetches parts of one file, and sees to it that they are parts of the same one. */
export class RangeFetcher implements Disposable {
  readonly #file: Omit<RemoteFile, "path">;
  readonly #http: HttpClient;
  readonly #rateLimit: RateLimit | undefined;
  /** Connections that wait for the next part. */
  readonly #idle: DirectConnection[] = [];
  /** Where the hub sent on to, so that it is not asked for each part. */
  #location: string | undefined;

  constructor({ file, http, rateLimit }: RangeFetcherOptions) {
    this.#file = file;
    this.#http = http;
    this.#rateLimit = rateLimit;
  }

  /**
   * Fetches a range. Where the connection breaks off, it goes on with the next byte.
   *
   * @param sink takes what arrives, in order.
   * @param onAnswer is called once the server has agreed.
   * @throws FileChanged, RangesIgnored; RegistryError `source_unreachable` and as the hub refuses; what the
   *   sink fails with; the signal's reason.
   */
  async fetch(
    [start, end]: ByteRange,
    sink: ByteSink,
    onAnswer: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { retries, stallTimeoutMs } = this.#http;
    // A limit of ours is no fault of the server's.
    const windowMs = this.#rateLimit === undefined ? stallTimeoutMs : Number.POSITIVE_INFINITY;
    for (let [at, tried] = [start, 1]; ;) {
      const counted = new CountingSink(sink, windowMs);
      const failure = await this.#receivePart([at, end], counted, onAnswer, signal);
      at += counted.bytes;
      if (at === end) return;
      signal.throwIfAborted();
      if (isRegistryError(failure) || failure instanceof RangesIgnored) throw failure;
      // Nobody knows whether the rest would be of the same file.
      if (at > start && !this.#hasIdentity) throw new RangesIgnored();
      if (counted.bytes >= PROGRESS_BYTES) tried = 1;
      if (tried > retries.count) throw unreachable(this.#file.url, failure);
      this.#location = undefined;
      await waitToRetry(retries, tried++, null, signal);
    }
  }

  [Symbol.dispose](): void {
    for (const connection of this.#idle) connection[Symbol.dispose]();
  }

  get #hasIdentity(): boolean {
    const { sha256, gitSha1, etag } = this.#file;
    return (sha256 ?? gitSha1 ?? etag) !== null;
  }

  /** @returns what went wrong. */
  async #receivePart(
    part: ByteRange,
    sink: ByteSink,
    onAnswer: () => void,
    signal: AbortSignal,
  ): Promise<unknown> {
    try {
      const isDone = await this.#receiveDirectly(part, sink, onAnswer, signal);
      if (!isDone) await this.#receive(part, sink, onAnswer, signal);
      return new Error("the connection was cut");
    } catch (error) {
      return error;
    }
  }

  /** @returns false where it needs the other way: nothing has arrived then. */
  async #receiveDirectly(
    [start, end]: ByteRange,
    sink: ByteSink,
    onAnswer: () => void,
    signal: AbortSignal,
  ): Promise<boolean> {
    // Bytes that are to come slowly had better come in small pieces.
    if (this.#location === undefined || this.#rateLimit !== undefined) return false;
    const url = new URL(this.#location);
    const connection = this.#takeIdle() ?? (await this.#http.openDirect(url));
    if (connection === undefined) return false;
    const abort = (): void => connection[Symbol.dispose]();
    signal.addEventListener("abort", abort);
    try {
      signal.throwIfAborted();
      if (connection.origin !== url.origin) return false;
      const answer = await connection.ask(url, { ...COMMON_HEADERS, range: `bytes=${start}-${end - 1}` });
      const response = { ...answer, firstHeaders: answer.headers };
      const isPlain = answer.status === 206 && answer.headers.get("content-length") === String(end - start);
      if (
        !isPlain ||
        answer.headers.has("transfer-encoding") ||
        this.#check(response, start, true) !== true
      ) {
        return false;
      }
      onAnswer();
      await connection.read(sink, end - start);
      if (connection.isOpen && answer.headers.get("connection") !== "close") this.#idle.push(connection);
      return true;
    } finally {
      signal.removeEventListener("abort", abort);
      if (!this.#idle.includes(connection)) connection[Symbol.dispose]();
    }
  }

  /** One that the server has not closed meanwhile. */
  #takeIdle(): DirectConnection | undefined {
    let connection = this.#idle.pop();
    while (connection?.isOpen === false) connection = this.#idle.pop();
    return connection;
  }

  async #receive(
    [start, end]: ByteRange,
    sink: ByteSink,
    onAnswer: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    const body = await this.#ask(start, end, signal);
    onAnswer();
    let left = end - start;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (left === 0) break;
      const wanted = chunk.subarray(0, left);
      left -= wanted.length;
      if (this.#rateLimit !== undefined) await this.#rateLimit.take(wanted.length, signal);
      for (let at = 0; at < wanted.length; at += SPARE_BYTES) {
        const full = putInto(sink, wanted.subarray(at, at + SPARE_BYTES));
        if (full !== undefined) await full;
      }
    }
  }

  async #ask(start: number, end: number, signal: AbortSignal): Promise<HttpResponse["body"]> {
    const { url, sizeBytes } = this.#file;
    const isPart = start > 0 || end < sizeBytes;
    const headers: Record<string, string> = isPart ? { range: `bytes=${start}-${end - 1}` } : {};
    let response = await this.#http.request(this.#location ?? url, { headers, signal });
    if (this.#location !== undefined && response.status >= 400 && response.status < 500) {
      // What the hub sends on to holds for a time.
      response.discard();
      this.#location = undefined;
      response = await this.#http.request(url, { headers, signal });
    }
    const accepted = this.#check(response, start, isPart);
    if (accepted !== true) {
      response.discard();
      throw accepted;
    }
    this.#location = response.url;
    return response.body;
  }

  /** Whether an answer is of the file that was looked up, and the part that was asked for. */
  #check(
    response: Pick<HttpResponse, "status" | "headers" | "firstHeaders">,
    start: number,
    isPart: boolean,
  ): true | Error {
    const { url, sizeBytes, sha256, gitSha1, etag } = this.#file;
    const { status, headers, firstHeaders } = response;
    if (status === 416) return new FileChanged(url, "it is shorter");
    if (status !== 200 && status !== 206) return failureOf(url, response);
    const encoding = headers.get("content-encoding") ?? "identity";
    if (encoding !== "identity") return new Error(`it is sent packed as ${encoding}`);
    const [, from, total = headers.get("content-length")] =
      /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "") ?? [];
    const size = status === 206 || !isPart ? total : (headers.get("content-length") ?? "*");
    if (size !== "*" && size !== null && Number(size) !== sizeBytes) {
      return new FileChanged(url, `it has ${size} bytes instead of ${sizeBytes}`);
    }
    const linked = firstHeaders.get("x-linked-etag") ?? (gitSha1 === null ? null : firstHeaders.get("etag"));
    const hash = sha256 ?? gitSha1;
    if (hash !== null && linked !== null && isHash(linked, hash) && bareEtag(linked) !== hash) {
      return new FileChanged(url, `its hash is ${bareEtag(linked)} instead of ${hash}`);
    }
    if (hash === null && etag !== null && fileState(headers) !== etag) {
      return new FileChanged(url, "its ETag or the time of its last change is another");
    }
    if (isPart && status === 200) return new RangesIgnored();
    if (status === 206 && Number(from) !== start) return new Error("it sends another part than asked for");
    return true;
  }
}

/** Counts what a connection brings, and gives up one that is as slow as if it were silent. */
class CountingSink implements ByteSink {
  readonly #sink: ByteSink;
  readonly #windowMs: number;
  #since = performance.now();
  #bytesSince = 0;
  bytes = 0;

  constructor(sink: ByteSink, windowMs: number) {
    this.#sink = sink;
    this.#windowMs = windowMs;
  }

  space(): Uint8Array {
    return this.#sink.space();
  }

  filled(bytes: number): Promise<void> | undefined {
    const full = this.#sink.filled(bytes);
    this.bytes += bytes;
    this.#bytesSince += bytes;
    const elapsedMs = performance.now() - this.#since;
    if (elapsedMs < this.#windowMs) return full;
    if (this.#bytesSince < (MIN_BYTES_PER_SECOND * elapsedMs) / 1000) {
      return Promise.reject(new Error("next to nothing arrives"));
    }
    this.#since = performance.now();
    this.#bytesSince = 0;
    return full;
  }
}

/** Whether an ETag is a hash of the same kind, and not some other word. */
function isHash(etag: string, like: string): boolean {
  const bare = bareEtag(etag);
  return bare.length === like.length && /^[0-9a-f]+$/.test(bare);
}
