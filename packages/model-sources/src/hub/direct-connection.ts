import type { Socket } from "node:net";

import { guardedConnector } from "./address-guard.ts";
import { putInto, type ByteSink } from "./byte-sink.ts";

/** An answer without its body. */
export interface DirectAnswer {
  readonly status: number;
  readonly headers: Headers;
}

interface Waiting<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
}

const HEAD_BYTES = 64 * 1024;
const HEAD_END = "\r\n\r\n";

/**
 * A connection to a server that is asked for parts of a file, one after the other, and puts what comes right
 * into the memory that it is written from. Any other client makes a new buffer for every 64 KiB that come,
 * which costs more than reading and writing them.
 *
 * It speaks as much HTTP/1.1 as a part of a file needs (RFC 9112): an answer with a length. For any other the
 * caller closes this and asks with another client.
 */
export class DirectConnection implements Disposable {
  readonly origin: string;
  #socket: Socket | undefined;
  // What comes while no body is expected; what stands in it beyond the head belongs to the body.
  readonly #head: Buffer = Buffer.allocUnsafeSlow(HEAD_BYTES);
  #headBytes = 0;
  #early: Buffer = Buffer.alloc(0);
  #awaitingHead: Waiting<DirectAnswer> | undefined;
  #awaitingBody: Waiting<void> | undefined;
  #sink: ByteSink | undefined;
  #leftBytes = 0;
  #isHeld = false;
  #failure: Error | undefined;
  readonly #stallTimeoutMs: number;

  private constructor(origin: string, stallTimeoutMs: number) {
    this.origin = origin;
    this.#stallTimeoutMs = stallTimeoutMs;
  }

  /** Connects. @throws as {@link guardedConnector}, and what the system says. */
  static async open(
    url: URL,
    privateHosts: ReadonlySet<string>,
    stallTimeoutMs: number,
  ): Promise<DirectConnection> {
    const connection = new DirectConnection(url.origin, stallTimeoutMs);
    const connect = guardedConnector(privateHosts, {
      onread: {
        buffer: () => connection.#nextBuffer(),
        callback: (bytes, buffer) => connection.#take(buffer.subarray(0, bytes)),
      },
    });
    const { hostname, host, protocol, port } = url;
    const socket = await new Promise<Socket>((resolve, reject) => {
      connect({ hostname, host, protocol, port }, (error, connected) => {
        if (error === null) resolve(connected);
        else reject(error);
      });
    });
    connection.#socket = socket;
    socket.setTimeout(stallTimeoutMs);
    // A server that waits for us is not silent.
    socket.on("timeout", () => connection.#isHeld || socket.destroy(new Error("the server is silent")));
    socket.on("error", (error) => connection.#fail(error));
    socket.on("close", () => connection.#fail(new Error("the connection was cut")));
    socket.resume();
    return connection;
  }

  /** Whether it can be asked again. */
  get isOpen(): boolean {
    return this.#failure === undefined && this.#leftBytes === 0 && this.#early.length === 0;
  }

  /**
   * Asks for something of the same origin.
   *
   * @throws where the connection breaks, or what comes is no answer.
   */
  async ask(url: URL, headers: Readonly<Record<string, string>>): Promise<DirectAnswer> {
    const lines = [`GET ${url.pathname}${url.search} HTTP/1.1`, `host: ${url.host}`];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#awaitingHead = { resolve, reject };
      this.#socket?.write(`${lines.join("\r\n")}${HEAD_END}`);
    });
  }

  /** Reads so many bytes of the body into a sink. @throws where the connection breaks; what came is in the sink. */
  async read(sink: ByteSink, bytes: number): Promise<void> {
    const early = this.#early.subarray(0, bytes);
    this.#early = this.#early.subarray(early.length);
    const full = putInto(sink, early);
    if (full !== undefined) await full;
    if (early.length === bytes) {
      this.#goOn();
      return;
    }
    await new Promise<void>((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#awaitingBody = { resolve, reject };
      this.#leftBytes = bytes - early.length;
      this.#sink = sink;
      this.#goOn();
    });
  }

  [Symbol.dispose](): void {
    this.#socket?.destroy();
  }

  #nextBuffer(): Uint8Array {
    if (this.#sink === undefined) return this.#head.subarray(this.#headBytes);
    return this.#sink.space().subarray(0, this.#leftBytes);
  }

  /** @returns whether more may come at once. */
  #take(bytes: Uint8Array): boolean {
    if (this.#sink === undefined) return this.#takeHead(bytes.length);
    // The first bytes after a head come to where heads do.
    if (bytes.buffer === this.#head.buffer) return this.#takeStray(this.#sink, bytes);
    return this.#filled(this.#sink.filled(bytes.length), bytes.length);
  }

  #takeHead(bytes: number): boolean {
    this.#headBytes += bytes;
    const end = this.#head.subarray(0, this.#headBytes).indexOf(HEAD_END);
    const waiting = this.#awaitingHead;
    if (waiting === undefined || (end === -1 && this.#headBytes === HEAD_BYTES)) {
      this.#fail(new Error("the server sends what nobody asked for"));
      return false;
    }
    if (end === -1) return true;
    this.#awaitingHead = undefined;
    const answer = parseHead(this.#head.toString("latin1", 0, end));
    this.#early = Buffer.from(this.#head.subarray(end + HEAD_END.length, this.#headBytes));
    this.#headBytes = 0;
    this.#isHeld = true;
    if (answer === undefined) waiting.reject(new Error("the server's answer is not HTTP"));
    else waiting.resolve(answer);
    // Until the body is wanted.
    return false;
  }

  #takeStray(sink: ByteSink, bytes: Uint8Array): boolean {
    const wanted = bytes.subarray(0, this.#leftBytes);
    return this.#filled(putInto(sink, wanted), wanted.length);
  }

  #filled(full: Promise<void> | undefined, bytes: number): boolean {
    this.#leftBytes -= bytes;
    if (this.#leftBytes === 0) this.#sink = undefined;
    if (full === undefined) {
      this.#endBody();
      return true;
    }
    this.#isHeld = true;
    void this.#goOnAfter(full);
    return false;
  }

  async #goOnAfter(full: Promise<void>): Promise<void> {
    try {
      await full;
      this.#endBody();
      this.#goOn();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #endBody(): void {
    if (this.#leftBytes > 0) return;
    this.#awaitingBody?.resolve();
    this.#awaitingBody = undefined;
  }

  #goOn(): void {
    this.#isHeld = false;
    this.#socket?.setTimeout(this.#stallTimeoutMs);
    this.#socket?.resume();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#socket?.destroy();
    this.#awaitingHead?.reject(this.#failure);
    this.#awaitingBody?.reject(this.#failure);
    [this.#awaitingHead, this.#awaitingBody] = [undefined, undefined];
  }
}

/** @returns `undefined` where it is no head of HTTP/1.1. */
function parseHead(text: string): DirectAnswer | undefined {
  const [first = "", ...lines] = text.split("\r\n");
  const [, status] = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(first) ?? [];
  if (status === undefined) return undefined;
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    try {
      headers.append(line.slice(0, Math.max(colon, 0)), line.slice(colon + 1));
    } catch {
      return undefined;
    }
  }
  return { status: Number(status), headers };
}
