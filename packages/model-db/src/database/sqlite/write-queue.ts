import type Database from "better-sqlite3";

import { RegistryError } from "../../errors.ts";
import { commits } from "../commits.ts";
import { nextTurn } from "../next-turn.ts";
import type { WriteSession } from "../query.ts";
import { block } from "./block.ts";
import { givenUp, isBusy, toRegistryError } from "./errors.ts";
import { readSchemaVersion } from "./schema-version.ts";
import { settleSearch } from "./settle-search.ts";
import { settleUnseen, UNSEEN_SINCE } from "./settle-unseen.ts";
import { SHIPPED_SQL } from "./shipped-sql.ts";
import { SqliteSession } from "./sqlite-session.ts";

interface Job {
  /** Wants a commit of its own: it takes long, or waits for others. */
  readonly alone: boolean;
  /** Lets the work begin. */
  readonly start: () => void;
  /** What the work returns, once it was let begin. */
  readonly done: Promise<unknown>;
  resolve: (value: unknown) => void;
  reject: (reason: unknown) => void;
}

// More jobs to a commit gain nothing and make the first wait for the last.
const MAX_BATCH = 64;
// How long commits may follow each other before the event loop has a turn, which costs a tenth of one.
const TURN_MS = 2;
// How long more of them may be gathered: about as long as a commit takes.
const GATHER_MS = 2;
// A waiting writer asks the more often the longer it waits, so that the one who waits longest is mostly next.
const FIRST_WAIT_MS = 1.5;
const LEAST_WAIT_MS = 0.15;
// Whoever holds the lock longer than this is at something large.
const LONG_WAIT_MS = 1000;
// How long nobody changes anything here until the search index is settled, and from one step of that to the next.
const REST_MS = 500;

/**
 * The one writer of a connection. Jobs that wait together share one transaction, and so one wait for
 * the disk, each within a savepoint of its own. Between processes the lock is polled, and
 * given up for a moment after each commit while others write too: SQLite's own busy handler backs
 * off ever longer and lets one process starve the rest.
 */
export class WriteQueue {
  readonly #connection: Database.Database;
  readonly #session: SqliteSession;
  readonly #busyTimeoutMs: number;
  readonly #checkFile: () => void;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #rollback: Database.Statement;
  readonly #dataVersion: Database.Statement;
  #unseen: Database.Statement | undefined;
  #jobs: Job[] = [];
  #draining: Promise<void> | undefined;
  #lastDataVersion: unknown;
  #othersWrite = false;
  #rest: NodeJS.Timeout | undefined;
  #hasEnded = false;

  /**
   * @param checkFile throws when what was just committed went into a file that is no longer the
   *   registry's: then nothing of it is acknowledged.
   */
  constructor(connection: Database.Database, busyTimeoutMs: number, checkFile: () => void) {
    this.#connection = connection;
    this.#checkFile = checkFile;
    this.#session = new SqliteSession(connection, SHIPPED_SQL);
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#begin = connection.prepare("BEGIN IMMEDIATE");
    this.#commit = connection.prepare("COMMIT");
    this.#rollback = connection.prepare("ROLLBACK");
    this.#dataVersion = connection.prepare("PRAGMA data_version").pluck();
  }

  /** Runs a job in a durable transaction, alone or shared with others that wait. */
  add<T>(run: (session: WriteSession) => Promise<T>, alone: boolean): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const turn = Promise.withResolvers<void>();
      // The queue is started by one caller and works for all: what follows a promise keeps its own caller's context.
      const done = turn.promise.then(() => run(this.#session));
      this.#jobs.push({ alone, start: turn.resolve, done, resolve: resolve as Job["resolve"], reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves when nothing waits any more; nothing is begun afterwards. */
  async end(): Promise<void> {
    this.#hasEnded = true;
    clearTimeout(this.#rest);
    await this.#draining;
  }

  /** Forgets prepared statements, after the schema changed; what that left unseen is met by the next change. */
  clear(): void {
    this.#lastDataVersion = undefined;
    this.#session.clear();
  }

  async #drain(): Promise<void> {
    try {
      let turnEnds = 0;
      while (this.#jobs.length > 0) {
        if (performance.now() > turnEnds) {
          await this.#gather();
          turnEnds = performance.now() + TURN_MS;
        }
        await this.#commitTogether(this.#takeBatch());
        // Who was served may come again at once, and need not wait for a turn.
        await new Promise<void>((resolve) => process.nextTick(resolve));
      }
    } finally {
      this.#draining = undefined;
      this.#settleLater();
    }
  }

  // Every change makes searches slower, and merging what it has left behind would hold up the next one.
  #settleLater(): void {
    clearTimeout(this.#rest);
    if (!this.#hasEnded) this.#rest = setTimeout(() => this.#settle(), REST_MS).unref();
  }

  #settle(): void {
    // Its end leads here again.
    if (this.#draining !== undefined) return;
    try {
      // What was set aside stays as it is.
      this.#checkFile();
      if (!this.#tryBegin()) return this.#settleLater();
      const hasMore = settleSearch(this.#connection);
      this.#commit.run();
      if (hasMore) this.#settleLater();
    } catch {
      // The next change meets what went wrong here, and tells of it.
      this.#undo();
    }
  }

  // Callers of the same turn of the event loop are gathered, and everything else has its turn too. Those who were
  // served together come again over some turns, and can be served together again.
  async #gather(): Promise<void> {
    const end = performance.now() + GATHER_MS;
    let before: number;
    do {
      before = this.#jobs.length;
      await nextTurn();
    } while (this.#jobs.length > before && this.#jobs.length < MAX_BATCH && performance.now() < end);
  }

  #takeBatch(): Job[] {
    const alone = this.#jobs.findIndex((job) => job.alone);
    return this.#jobs.splice(0, alone === 0 ? 1 : Math.min(MAX_BATCH, alone < 0 ? MAX_BATCH : alone));
  }

  async #commitTogether(batch: readonly Job[]): Promise<void> {
    try {
      if (this.#othersWrite) block(0.3 + Math.random() * 0.5);
      if (!this.#tryBegin()) await this.#waitForLock();
      this.#lookForOthers();
    } catch (error) {
      for (const job of batch) job.reject(error);
      return;
    }
    const done: { job: Job; value: unknown }[] = [];
    const run = batch.length > 1 ? (job: Job) => this.#session.nested(() => begun(job)) : begun;
    for (let index = 0; index < batch.length; index++) {
      const job = batch[index]!;
      try {
        done.push({ job, value: await run(job) });
      } catch (error) {
        const failure = toRegistryError(error, this.#connection.name);
        job.reject(failure);
        if (!this.#connection.inTransaction) {
          // SQLite gave up the whole transaction, as it does on a full disk: what came before is gone too.
          for (const before of done) before.job.reject(failure);
          this.#jobs.unshift(...batch.slice(index + 1));
          this.#undo();
          return;
        }
      }
    }
    try {
      if (!this.#connection.inTransaction) throw givenUp(this.#connection.name);
      if (done.length > 0) {
        this.#commitAndTell(done.length);
        // After it: whoever sets the file aside reads it only then, and so finds what was acknowledged before.
        this.#checkFile();
      } else {
        this.#undo();
      }
    } catch (error) {
      this.#undo();
      const failure = toRegistryError(error, this.#connection.name);
      for (const { job } of done) job.reject(failure);
      return;
    }
    for (const { job, value } of done) job.resolve(value);
  }

  #commitAndTell(changes: number): void {
    if (!commits.hasSubscribers) {
      this.#commit.run();
      return;
    }
    const start = performance.now();
    this.#commit.run();
    const durationMs = performance.now() - start;
    commits.publish({ location: this.#connection.name, durationMs, changes });
  }

  /** @returns false where another connection holds the lock. */
  #tryBegin(): boolean {
    try {
      this.#begin.run();
      return true;
    } catch (error) {
      if (isBusy(error)) return false;
      throw toRegistryError(error, this.#connection.name);
    }
  }

  async #waitForLock(): Promise<void> {
    const start = performance.now();
    const deadline = start + this.#busyTimeoutMs;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.max(LEAST_WAIT_MS, wait * 0.7)) {
      if (performance.now() >= deadline) throw this.#tooLong();
      await this.#pause(wait, start);
      if (this.#tryBegin()) return;
    }
  }

  // Whether other programs have committed since we last did, and whether this one still knows the schema. Old
  // programs leave rows that are settled before anything is built on them.
  #lookForOthers(): void {
    try {
      // Within the transaction this costs nothing; before it, it would take the lock once more.
      const dataVersion = this.#dataVersion.get();
      if (dataVersion === this.#lastDataVersion) {
        this.#othersWrite = false;
        return;
      }
      this.#session.forgetNumbers();
      this.#othersWrite = this.#lastDataVersion !== undefined;
      if (readSchemaVersion(this.#connection) >= UNSEEN_SINCE) {
        this.#unseen ??= this.#connection.prepare("SELECT 1 FROM model_unseen LIMIT 1");
        if (this.#unseen.get() !== undefined) settleUnseen(this.#connection);
      }
      this.#lastDataVersion = dataVersion;
    } catch (error) {
      this.#undo();
      throw toRegistryError(error, this.#connection.name);
    }
  }

  // What was settled for others is undone too: the next transaction looks for them again.
  #undo(): void {
    this.#lastDataVersion = undefined;
    if (this.#connection.inTransaction) this.#rollback.run();
  }

  async #pause(wait: number, start: number): Promise<void> {
    if (performance.now() - start > LONG_WAIT_MS) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      return;
    }
    block(wait * (0.7 + Math.random() * 0.6));
    // Whatever else this process has to do goes on in between.
    await nextTurn();
  }

  #tooLong(): RegistryError {
    const message = `${this.#connection.name} was locked by another program for ${this.#busyTimeoutMs} ms. Try again, or find out what holds it.`;
    return new RegistryError("database_busy", message);
  }
}

function begun(job: Job): Promise<unknown> {
  job.start();
  return job.done;
}
