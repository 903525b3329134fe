import type Crypto from "node:crypto";
import { statSync } from "node:fs";
import type Fs from "node:fs";
import { createRequire } from "node:module";
import { setInterval } from "node:timers/promises";
import { Worker, type MessagePort, type WorkerOptions } from "node:worker_threads";

import type Sqlite from "better-sqlite3";

interface Copying {
  /** The module that opens databases. */
  readonly sqlite: string;
  readonly from: string;
  readonly to: string;
  readonly busyTimeoutMs: number;
}

/** What came of it: what a quick check says of the copy, and its SHA-256. */
export interface Copy {
  readonly check: string;
  readonly sha256: string;
}

type Answer = { done: Copy } | { failure: { message: string; code: string | undefined } };

const LOOK_MS = 100;

/**
 * Writes a compact copy of a database as it is at one moment, and checks it, in a thread of its own: for
 * a large one that takes many seconds, in which this one goes on.
 *
 * @param onBytes how large the copy is by now.
 * @throws what SQLite throws, with its code; the system's errors.
 */
export async function copyDatabase(
  { from, to, busyTimeoutMs }: Omit<Copying, "sqlite">,
  onBytes: (bytes: number) => void,
): Promise<Copy> {
  // The thread loads the same native library from the same file, so that the two know of each other's locks.
  const sqlite = createRequire(import.meta.url).resolve("better-sqlite3");
  const options: WorkerOptions = { eval: true, workerData: { sqlite, from, to, busyTimeoutMs } };
  const worker = new Worker(`(${copy.toString()})(require)`, options);
  const ended = new AbortController();
  const watching = watchSize(to, onBytes, ended.signal);
  try {
    return await new Promise<Copy>((resolve, reject) => {
      worker.once("message", (answer: Answer) => {
        if ("done" in answer) resolve(answer.done);
        else reject(Object.assign(new Error(answer.failure.message), answer.failure));
      });
      worker.once("error", reject);
    });
  } finally {
    ended.abort();
    await watching;
    await worker.terminate();
  }
}

async function watchSize(path: string, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<void> {
  try {
    for await (const _ of setInterval(LOOK_MS, undefined, { signal })) {
      onBytes(statSync(path, { throwIfNoEntry: false })?.size ?? 0);
    }
  } catch {
    // Ended.
  }
}

// Runs in the thread, which is given its text: it uses nothing from around it.
function copy(require: NodeJS.Require): void {
  const { parentPort, workerData } = require("node:worker_threads") as {
    parentPort: MessagePort;
    workerData: Copying;
  };
  const { openSync, readSync, closeSync } = require("node:fs") as typeof Fs;
  const { createHash } = require("node:crypto") as typeof Crypto;
  const { sqlite, from, to, busyTimeoutMs } = workerData;
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port knows no origins
  const answer = (message: Answer): void => parentPort.postMessage(message);
  try {
    const Database = require(sqlite) as typeof Sqlite;
    const source = new Database(from, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
    source.pragma("cell_size_check = ON");
    try {
      source.prepare("VACUUM INTO ?").run(to);
    } finally {
      source.close();
    }
    const target = new Database(to, { readonly: true, fileMustExist: true });
    const check = String(target.pragma("quick_check(1)", { simple: true }));
    target.close();
    const hash = createHash("sha256");
    const chunk = Buffer.allocUnsafe(1024 * 1024);
    const descriptor = openSync(to, "r");
    for (let read = 1; read > 0;) {
      read = readSync(descriptor, chunk, 0, chunk.length, null);
      hash.update(chunk.subarray(0, read));
    }
    closeSync(descriptor);
    answer({ done: { check, sha256: hash.digest("hex") } });
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    answer({ failure: { message, code } });
  }
}
