import autocannon from "autocannon";

/** One request of a load. */
export interface LoadRequest {
  readonly method?: "GET" | "POST" | "PATCH";
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Load {
  readonly port: number;
  readonly connections: number;
  /** How many requests in all. */
  readonly amount: number;
  /** The request of that number, from 0. */
  readonly next: (index: number) => LoadRequest;
  /** The status that every answer must have. */
  readonly status: number;
}

/** What a load took. */
export interface LoadResult {
  /** From the first request to the last answer. */
  readonly wallMicros: number;
  /** How long each answer took, milliseconds. */
  readonly latenciesMs: readonly number[];
}

// Milliseconds between samples: only at one does it end. Its types do not know it.
const SAMPLING = { sampleInt: 20 };

/**
 * Sends requests over connections that stay open, on each the next one when the last was answered.
 *
 * @throws Error when an answer is another than expected.
 */
export async function sendLoad({ port, connections, amount, next, status }: Load): Promise<LoadResult> {
  const latenciesMs: number[] = [];
  let index = 0;
  let wrong: number | undefined;
  const start = performance.now();
  let end = start;
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url: `http://127.0.0.1:${port}`,
        connections: Math.min(connections, amount),
        amount,
        ...SAMPLING,
        requests: [{ setupRequest: (request) => ({ ...request, ...next(index++) }) }],
      },
      (error, done) => (error ? reject(error as Error) : resolve(done)),
    );
    instance.on("response", (_client, code, _bytes, ms) => {
      latenciesMs.push(ms);
      end = performance.now();
      if (code !== status) wrong = code;
    });
  });
  const failed = result.errors + result.timeouts + result.mismatches;
  if (wrong !== undefined || failed > 0 || latenciesMs.length !== amount) {
    throw new Error(
      `${next(0).path}: ${latenciesMs.length} of ${amount} answers, ${failed} failures, status ${wrong ?? status}.`,
    );
  }
  return { wallMicros: (end - start) * 1000, latenciesMs };
}
