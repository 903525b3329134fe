import type { WriteOptions } from "../database/engine.ts";
import type { MachineTime } from "../database/machine-time.ts";
import type { Session, WriteSession } from "../database/query.ts";
import type { Access } from "../domain/access.ts";
import type { EventOrigin } from "../domain/event.ts";

/** On whose behalf repositories work. */
export interface Behalf {
  /** Who changes are attributed to where a call does not say. */
  readonly actor: string;
  /** Where changes come from. */
  readonly origin: EventOrigin | null;
  /** What may be seen and done; `undefined`: everything. */
  readonly access: Access | undefined;
}

/** What is read in: the whole registry, or one transaction. */
export interface ReadScope extends Pick<Behalf, "access"> {
  readonly reader: Session;
  now(): MachineTime;
}

/** What repositories work in, where they change something, too. */
export interface Scope extends Behalf, ReadScope {
  /** All or nothing, and durable once the promise (or the transaction around it) resolves. */
  write<T>(work: (session: WriteSession) => Promise<T>, options?: WriteOptions): Promise<T>;
}

/** What every change can be told. */
export interface ChangeOptions {
  /** Who makes the change, for the history. */
  actor?: string | undefined;
  /** Refuse with `row_version_mismatch` unless the model is at this version. */
  expectedRowVersion?: number | undefined;
  /** Refuse with `lease_lost` unless this lease on the model holds. */
  leaseToken?: number | undefined;
}
