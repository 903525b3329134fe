import type { MachineTime } from "./machine-time.ts";
import type { Session, WriteSession } from "./query.ts";

/** How a transaction is run; whatever is left out is not so. */
export interface WriteOptions {
  /** It takes long or waits for others, and so shares no commit. */
  alone?: boolean;
  /** It leaves less than there was, and so succeeds on a full disk, too, where any can. */
  makesRoom?: boolean;
}

/** A database that holds a registry, to read it. Repositories know this and nothing of SQLite or PostgreSQL. */
export interface ReadEngine {
  /** Where it is: a file's absolute path. */
  readonly location: string;
  /** Reads what is committed. */
  readonly reader: Session;
  /** The clock that leases are judged by. */
  now(): MachineTime;
  /** A number that changes whenever anybody has committed a change. */
  changeCounter(): number;
  /** What the registry is known by, wherever its data goes: 32 hexadecimal digits. */
  registryId(): string;
  close(): Promise<void>;
}

/** A database that holds a registry, to read and to change it. */
export interface Engine extends ReadEngine {
  /**
   * Runs `work` in one write transaction that is durable when the promise resolves and leaves nothing
   * behind when it rejects. Transactions that wait at the same time may share one commit, each still
   * failing alone.
   *
   * @throws RegistryError `database_busy`, `disk_full`, `read_only`, or what `work` throws.
   */
  write<T>(work: (session: WriteSession) => Promise<T>, options?: WriteOptions): Promise<T>;
  schemaVersion(): { version: number; applied: { version: number; name: string; appliedAt: number }[] };
  /** Whether the old cortex program keeps its tables beside the registry's. */
  hasOldProgram(): boolean;
  /**
   * Brings the schema to a version, step by step, each in its own transaction.
   *
   * @throws RegistryError `schema_too_new`, `invalid_input` for a version that there is not.
   */
  migrate(target: number): Promise<{ from: number; to: number }>;
}
