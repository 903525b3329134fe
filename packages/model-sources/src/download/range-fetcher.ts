import { isRegistryError } from "@cortex/model-db";

import { bareEtag, fileState } from "../hub/file-state.ts";
import { unreachable, type HttpClient, type HttpResponse } from "../hub/http-client.ts";
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
export class RangeFetcher {
  readonly #file: Omit<RemoteFile, "path">;
  readonly #http: HttpClient;
  readonly #rateLimit: RateLimit | undefined;
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
   * @param onBytes takes what arrived, in order, before more is read.
   * @param onAnswer is called once the server has agreed.
   * @throws FileChanged, RangesIgnored; RegistryError `source_unreachable` and as the hub refuses; the signal's
   *   reason.
   */
  async fetch(
    [start, end]: ByteRange,
    onBytes: (chunk: Buffer) => Promise<void> | undefined,
    onAnswer: () => void,
    signal: AbortSignal,
  ): Promise<void> {
    let at = start;
    for (let tried = 1; at < end; tried++) {
      const before = at;
      try {
        const body = await this.#ask(at, end, signal);
        onAnswer();
        const pace = new Pace(this.#http.stallTimeoutMs);
        for await (const chunk of body as AsyncIterable<Buffer>) {
          const wanted = chunk.length > end - at ? chunk.subarray(0, end - at) : chunk;
          if (wanted.length === 0) break;
          // A limit of ours is no fault of the server's.
          if (this.#rateLimit === undefined) pace.count(wanted.length);
          else await this.#rateLimit.take(wanted.length, signal);
          const written = onBytes(wanted);
          at += wanted.length;
          if (written !== undefined) await written;
        }
        if (at < end) throw new Error("the connection was cut");
      } catch (error) {
        signal.throwIfAborted();
        if (isRegistryError(error) || error instanceof RangesIgnored) throw error;
        // Nobody knows whether the rest would be of the same file.
        if (at > start && !this.#hasIdentity) throw new RangesIgnored();
        if (at - before >= PROGRESS_BYTES) tried = 1;
        if (tried > this.#http.retries.count) throw unreachable(this.#file.url, error);
        this.#location = undefined;
        await waitToRetry(this.#http.retries, tried, null, signal);
      }
    }
  }

  get #hasIdentity(): boolean {
    const { sha256, gitSha1, etag } = this.#file;
    return (sha256 ?? gitSha1 ?? etag) !== null;
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
  #check(response: HttpResponse, start: number, isPart: boolean): true | Error {
    const { url, sizeBytes, sha256, gitSha1, etag } = this.#file;
    const { status, headers, firstHeaders } = response;
    if (status === 416) return new FileChanged(url, "it is shorter");
    if (status !== 200 && status !== 206) return failureOf(url, response);
    const encoding = headers.get("content-encoding") ?? "identity";
    if (encoding !== "identity") return failureOf(url, response, `it is sent packed as ${encoding}`);
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
    if (status === 206 && Number(from) !== start)
      return failureOf(url, response, "it sends another part than asked for");
    return true;
  }
}

/** How fast a connection is: one that is as slow as if it were silent is given up. */
class Pace {
  readonly #windowMs: number;
  #since = performance.now();
  #bytes = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** @throws where next to nothing has arrived for too long. */
  count(bytes: number): void {
    this.#bytes += bytes;
    const elapsedMs = performance.now() - this.#since;
    if (elapsedMs < this.#windowMs) return;
    if (this.#bytes < (MIN_BYTES_PER_SECOND * elapsedMs) / 1000) throw new Error("next to nothing arrives");
    this.#since = performance.now();
    this.#bytes = 0;
  }
}

/** Whether an ETag is a hash of the same kind, and not some other word. */
function isHash(etag: string, like: string): boolean {
  const bare = bareEtag(etag);
  return bare.length === like.length && /^[0-9a-f]+$/.test(bare);
}
