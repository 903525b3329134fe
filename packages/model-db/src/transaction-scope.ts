import type { AsyncLocalStorage } from "node:async_hooks";

import type { MachineTime } from "./database/machine-time.ts";
import type { Awaitable, Session, WriteSession } from "./database/query.ts";
import type { Access } from "./domain/access.ts";
import type { EventOrigin } from "./domain/event.ts";
import { invalidInput } from "./errors.ts";
import type { Behalf, Scope } from "./repositories/scope.ts";

/** Within a transaction, or within one change of it. */
type Phase = "transaction" | "change";

/** Knows what the running code is part of, so that nothing waits for itself. */
export class Phases {
  // Made for the first change: who only reads does not wait for it.
  #storage: AsyncLocalStorage<{ phase: Phase; over: boolean }> | undefined;

  current(): Phase | undefined {
    const moment = this.#storage?.getStore();
    // What was begun inside may go on after the end.
    return moment === undefined || moment.over ? undefined : moment.phase;
  }

  async run<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    const moment = { phase, over: false };
    this.#storage ??= new (process.getBuiltinModule("node:async_hooks").AsyncLocalStorage)();
    try {
      return await this.#storage.run(moment, work);
    } finally {
      moment.over = true;
    }
  }
}

/** What repositories see inside a transaction: reads and writes are of the same session, one at a time. */
export class TransactionScope implements Scope {
  readonly actor: string;
  readonly origin: EventOrigin | null;
  readonly access: Access | undefined;
  readonly reader: Session;
  readonly now: () => MachineTime;
  readonly #session: WriteSession;
  readonly #phases: Phases;
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor(session: WriteSession, phases: Phases, now: () => MachineTime, behalf: Behalf) {
    this.#session = session;
    this.#phases = phases;
    this.now = now;
    this.actor = behalf.actor;
    this.origin = behalf.origin;
    this.access = behalf.access;
    const inTurn = async <T>(read: () => Awaitable<T>): Promise<T> => {
      // A change that reads must not wait for itself.
      if (phases.current() === "change") return read();
      const done = this.#last.then(() => {
        this.#checkNotEnded();
        return read();
      });
      this.#last = done.catch(() => undefined);
      return done;
    };
    this.reader = {
      all: (query, parameters) => inTurn(() => session.all(query, parameters)),
      get: (query, parameters) => inTurn(() => session.get(query, parameters)),
      run: (query, parameters) => inTurn(() => session.run(query, parameters)),
      insert: (query, parameters) => inTurn(() => session.insert(query, parameters)),
    };
  }

  async write<T>(work: (session: WriteSession) => Promise<T>): Promise<T> {
    this.#checkNotEnded();
    if (this.#phases.current() === "change") {
      throw invalidInput(
        "transaction",
        "A change cannot be made while another change of the transaction is read.",
      );
    }
    const change = (): Promise<T> =>
      this.#session.nested(() => this.#phases.run("change", () => work(this.#session)));
    const done = this.#last.then(change);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Refuses what comes later, and waits for what nobody waited for. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#last;
  }

  #checkNotEnded(): void {
    if (this.#ended)
      throw invalidInput(
        "transaction",
        "The transaction has ended; its repositories cannot be used any more.",
      );
  }
}
