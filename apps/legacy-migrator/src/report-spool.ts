import { randomUUID } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { syncPath } from "@cortex/model-db/durable-files";

import { reasonOf } from "./reason-of.ts";
import type { ReportEntry } from "./report-entry.ts";

const FLUSH_LENGTH = 256 * 1024;
const CHUNK_BYTES = 256 * 1024;

/** The report cannot be written; the message says where and why. */
export class ReportError extends Error {
  override readonly name = "ReportError";
}

/**
 * The report as it grows: one JSON object per line, in a file, so that it can have a million lines. It
 * has its name only when the migration is done.
 */
export class ReportSpool implements Disposable {
  /** Where the report will be; `undefined` where it is only needed until the end. */
  readonly path: string | undefined;
  readonly #file: string;
  readonly #scratch: string | undefined;
  #descriptor: number;
  #pending: string[] = [];
  #pendingLength = 0;
  #finished = false;

  /**
   * @param path of a file that may be replaced, in a folder that exists.
   * @throws ReportError, as every other method.
   */
  constructor(path: string | undefined) {
    this.path = path;
    try {
      this.#scratch = path === undefined ? mkdtempSync(join(tmpdir(), "cortex-migrate-report-")) : undefined;
      this.#file =
        path === undefined
          ? join(this.#scratch!, "report.jsonl")
          : join(dirname(path), `.cortex-migrate-${randomUUID()}.partial`);
      this.#descriptor = openSync(this.#file, "wx+", 0o600);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  add(entry: ReportEntry): void {
    const line = `${JSON.stringify(entry)}\n`;
    this.#pending.push(line);
    this.#pendingLength += line.length;
    if (this.#pendingLength >= FLUSH_LENGTH) this.#flush();
  }

  /** All lines, as text in pieces of any length. */
  *text(): Generator<Buffer> {
    this.#flush();
    let position = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const read = readSync(this.#descriptor, chunk, 0, CHUNK_BYTES, position);
      if (read === 0) return;
      position += read;
      yield chunk.subarray(0, read);
    }
  }

  /** Gives the report its name. */
  finish(): void {
    this.#flush();
    if (this.path === undefined) return;
    try {
      fsyncSync(this.#descriptor);
      renameSync(this.#file, this.path);
      this.#finished = true;
      syncPath(dirname(this.path));
    } catch (error) {
      throw this.#failure(error);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
    if (this.#scratch !== undefined) rmSync(this.#scratch, { recursive: true, force: true });
    else if (!this.#finished) rmSync(this.#file, { force: true });
  }

  #flush(): void {
    const bytes = Buffer.from(this.#pending.join(""));
    this.#pending = [];
    this.#pendingLength = 0;
    // Behind what is there: reading has a position of its own.
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #failure(error: unknown): ReportError {
    const where = this.path ?? tmpdir();
    return new ReportError(`The report cannot be written to ${where}: ${reasonOf(error)}.`, { cause: error });
  }
}
