import type { Latency } from "../case.ts";
import { measure, type MeasureOptions, type Measurement } from "../harness.ts";
import { quantile } from "../statistics.ts";
import { sendLoad, type LoadRequest } from "./load.ts";
import type { ServerProcess } from "./server-process.ts";

/** A server under a load. */
export interface Lane {
  readonly name: string;
  readonly server: ServerProcess;
  readonly next: (index: number) => LoadRequest;
  /** 200 when left out. */
  readonly status?: number;
  /** 32 when left out. */
  readonly connections?: number;
}

const CONNECTIONS = 32;
// Until then the compilers of V8 have done most of what they will do, and what a server keeps is there.
const WARM_UP_REQUESTS = 25_000;
const WARM_UP_MS = 8000;
// Of the time that the measurement takes.
const WARM_UP_SHARE = 2;
const FIRST_REQUESTS = 64;

/**
 * Measures servers against each other, in turns.
 *
 * @param what `cpu`: the processor time of the server's process; `wall`: the time until all is answered. Each
 *   for one request.
 */
export async function measureServers(
  lanes: readonly Lane[],
  what: "cpu" | "wall",
  { rounds, batchMs }: MeasureOptions,
): Promise<{ measurement: Measurement; latencies: ReadonlyMap<string, Latency> }> {
  const latenciesOf = new Map<string, number[]>();
  const contenders = [];
  for (const lane of lanes) {
    let sent = 0;
    const send = async (amount: number): Promise<{ micros: number; latenciesMs: readonly number[] }> => {
      const first = sent;
      sent += amount;
      const { server, next, status = 200, connections = CONNECTIONS } = lane;
      const before = await server.usage();
      const { wallMicros, latenciesMs } = await sendLoad({
        port: server.port,
        connections,
        amount,
        next: (index) => next(first + index),
        status,
      });
      const after = await server.usage();
      return { micros: what === "cpu" ? after.cpuMicros - before.cpuMicros : wallMicros, latenciesMs };
    };
    await send(FIRST_REQUESTS);
    const end = performance.now() + Math.min(WARM_UP_MS, rounds * batchMs * WARM_UP_SHARE);
    let amount = FIRST_REQUESTS;
    for (let warmed = 0; performance.now() < end && warmed < WARM_UP_REQUESTS; warmed += amount) {
      const start = performance.now();
      await send(amount);
      // Twice as many at most: the first say little about those to come.
      const fitting = Math.round((amount * batchMs) / (performance.now() - start));
      amount = Math.max(FIRST_REQUESTS, Math.min(amount * 2, fitting));
    }
    latenciesOf.set(lane.name, []);
    contenders.push({
      name: lane.name,
      isAsync: true,
      async run() {
        const { micros, latenciesMs } = await send(amount);
        latenciesOf.get(lane.name)!.push(...latenciesMs);
        return micros / amount;
      },
    });
  }
  const measurement = await measure(contenders, { clock: "own", rounds, batchMs });
  const latencies = new Map(
    [...latenciesOf].map(([name, ms]) => [
      name,
      { meanMs: ms.reduce((sum, one) => sum + one, 0) / ms.length, p99Ms: quantile(ms, 0.99) },
    ]),
  );
  return { measurement, latencies };
}
