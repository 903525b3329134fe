import { get, type IncomingHttpHeaders, type IncomingMessage } from "node:http";

/** One block of an event stream, as it came. */
export interface Block {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  readonly retry?: string;
  readonly comment?: string;
}

/** Reads an event stream over a connection of its own, at the pace at which it is asked. */
export class EventReader implements Disposable {
  readonly #response: IncomingMessage;
  #rest = "";
  #isOver = false;
  #notify: (() => void) | undefined;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding("utf8").pause();
    response.on("data", (text: string) => {
      this.#rest += text;
      response.pause();
      this.#notify?.();
    });
    for (const end of ["end", "error", "close"]) {
      response.on(end, () => {
        this.#isOver = true;
        this.#notify?.();
      });
    }
  }

  static open(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
    return new Promise((resolve, reject) => {
      get(url, { agent: false, headers }, (response) => resolve(new EventReader(response))).on(
        "error",
        reject,
      );
    });
  }

  get status(): number {
    return this.#response.statusCode!;
  }

  get headers(): IncomingHttpHeaders {
    return this.#response.headers;
  }

  /** The next block, or `undefined` at the end of the stream. */
  async next(): Promise<Block | undefined> {
    for (;;) {
      const end = this.#rest.indexOf("\n\n");
      if (end >= 0) {
        const block = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 2);
        return parseBlock(block);
      }
      if (this.#isOver) return undefined;
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
        this.#response.resume();
      });
    }
  }

  /** The next block that is an event. */
  async nextEvent(): Promise<Block & { id: string; event: string; data: string }> {
    for (let before: Block | undefined; ;) {
      const block = await this.next();
      if (block === undefined) throw new Error(`The stream ended: ${before?.comment}.`);
      before = block;
      if (block.data !== undefined) return block as Required<Block>;
    }
  }

  /** The ids of the next events, as many as asked for. */
  async nextIds(count: number): Promise<number[]> {
    const ids: number[] = [];
    while (ids.length < count) ids.push(Number((await this.nextEvent()).id));
    return ids;
  }

  /** All that comes until the stream ends. */
  async rest(): Promise<Block[]> {
    const blocks: Block[] = [];
    for (let block = await this.next(); block !== undefined; block = await this.next()) blocks.push(block);
    return blocks;
  }

  [Symbol.dispose](): void {
    this.#response.destroy();
  }
}

function parseBlock(text: string): Block {
  return Object.fromEntries(
    text.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [colon === 0 ? "comment" : line.slice(0, colon), line.slice(colon + 1).trimStart()];
    }),
  );
}

/** The next events of a stream, each as its kind and its model. */
export async function seen(reader: EventReader, count: number): Promise<string[]> {
  const shown: string[] = [];
  while (shown.length < count) {
    const { event, data } = await reader.nextEvent();
    shown.push(`${event} ${(JSON.parse(data) as { model_id: string }).model_id}`);
  }
  return shown;
}
