import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { checkRegistry } from "@cortex/model-db";
import fc from "fast-check";

import { faultsOf } from "../answer-faults.ts";
import { sendRaw } from "../raw-request.ts";
import { readOperations } from "./operations.ts";
import { requests, type FuzzRequest } from "./requests.ts";

const CLIENTS = 4;
const HANG_MS = 1000;

/** What a run has found out. */
export interface FuzzReport {
  /** What was wrong; nothing should be. */
  readonly faults: readonly string[];
  readonly requests: number;
  /** How many answers had each status; 0: the connection was closed. */
  readonly statuses: Readonly<Record<number, number>>;
  /** How many operations of the document were answered with a success at least once, of how many. */
  readonly succeeded: readonly [number, number];
  readonly slowestMs: number;
  /** What the server's process held after a third of the time, and at the end. */
  readonly heldBytes: readonly [number, number];
}

/**
 * Asks a server in a process of its own whatever its OpenAPI document allows, and what it does not allow.
 *
 * @param seconds how long.
 * @param seed another sequence of requests.
 */
export async function fuzz(seconds: number, seed: number): Promise<FuzzReport> {
  const folder = mkdtempSync(join(tmpdir(), "hono-server-"));
  const location = join(folder, "registry.db");
  const script = fileURLToPath(new URL("served.ts", import.meta.url));
  const child = spawn(process.execPath, ["--expose-gc", "--conditions=@cortex/source", script, location], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const port = Number((await lines.next()).value);
    const held = async (): Promise<number> => {
      child.stdin.write("\n");
      return (JSON.parse(String((await lines.next()).value)) as { heldBytes: number }).heldBytes;
    };
    const run = new FuzzRun(port);
    await run.start(seconds / 3, seed);
    const before = await held();
    await run.start((seconds * 2) / 3, seed + CLIENTS);
    const after = await held();
    await run.retrySlow();
    child.stdin.end();
    const [code] = (await ended) as [number];
    if (code !== 0) run.faults.push(`the server ended with ${code}`);
    for await (const finding of checkRegistry(location, { full: true })) {
      // Process ids and paths were made up.
      if (!["lease_of_dead", "config_gone", "file_gone"].includes(finding.code))
        run.faults.push(JSON.stringify(finding));
    }
    return { ...run.report(), heldBytes: [before, after] };
  } finally {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

class FuzzRun {
  readonly faults: string[] = [];
  readonly #port: number;
  readonly #statuses: Record<number, number> = {};
  readonly #succeeded = new Set<string>();
  readonly #slow: FuzzRequest[] = [];
  #operations = 0;
  #requests = 0;
  #slowestMs = 0;

  constructor(port: number) {
    this.#port = port;
  }

  async start(seconds: number, seed: number): Promise<void> {
    const operations = await readOperations();
    this.#operations = operations.length;
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      const outcome = await fc.check(
        fc.asyncProperty(requests(operations), async (request) => {
          const faults = await this.#ask(request);
          if (faults.length > 0) throw new Error(faults.join("; "));
        }),
        {
          seed: seed + client,
          numRuns: 1_000_000_000,
          interruptAfterTimeLimit: seconds * 1000,
          markInterruptAsFailure: false,
        },
      );
      if (outcome.failed) this.faults.push(toFault(outcome));
    });
    await Promise.all(clients);
  }

  /** On a busy machine all are slow now and then; one that hangs hangs again. */
  async retrySlow(): Promise<void> {
    for (const request of this.#slow.slice(0, 20)) {
      const start = performance.now();
      await this.#ask(request);
      const elapsedMs = performance.now() - start;
      if (elapsedMs > HANG_MS)
        this.faults.push(`it took ${Math.round(elapsedMs)} ms: ${shown(request.bytes)}`);
    }
  }

  report(): Omit<FuzzReport, "heldBytes"> {
    return {
      faults: this.faults,
      requests: this.#requests,
      statuses: this.#statuses,
      succeeded: [this.#succeeded.size, this.#operations],
      slowestMs: Math.round(this.#slowestMs),
    };
  }

  async #ask(request: FuzzRequest): Promise<string[]> {
    const { operation, path, bytes } = request;
    const start = performance.now();
    // One that was garbled may wait for a body that never comes.
    const answer = await sendRaw({ port: this.#port, bytes, ends: operation === undefined });
    const elapsedMs = performance.now() - start;
    this.#requests += 1;
    this.#slowestMs = Math.max(this.#slowestMs, elapsedMs);
    if (elapsedMs > HANG_MS) this.#slow.push(request);
    const { status, headers, body } = answer;
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    if (operation === undefined) return status === 0 ? [] : faultsOf(answer, path);
    // What was not understood has no path, so its answer has nobody's shape in particular.
    if (body.includes('"code":"malformed_request"')) return faultsOf(answer, path);
    if (status < 300) this.#succeeded.add(`${operation.method} ${operation.path}`);
    const fault = operation.faultOf(status, headers["content-type"] ?? "", body);
    return [...faultsOf(answer, path), ...(fault === undefined ? [] : [fault])];
  }
}

function toFault({
  errorInstance,
  counterexample,
  seed,
  counterexamplePath,
}: fc.RunDetails<[FuzzRequest]>): string {
  const [request] = counterexample ?? [];
  return `${String(errorInstance)} on ${shown(request?.bytes ?? new Uint8Array())} (seed ${seed}, path ${counterexamplePath})`;
}

function shown(bytes: Uint8Array): string {
  return JSON.stringify(Buffer.from(bytes).toString("latin1").slice(0, 1500));
}
