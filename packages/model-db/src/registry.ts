import type { Engine, WriteOptions } from "./database/engine.ts";
import type { MachineTime } from "./database/machine-time.ts";
import type { WriteSession } from "./database/query.ts";
import { openSqlite } from "./database/sqlite/sqlite-engine.ts";
import { accessOf } from "./domain/access.ts";
import type { EventOrigin, ModelEvent } from "./domain/event.ts";
import { checkKeys, parseBoolean, parseInteger, parseText, parseWord } from "./domain/input.ts";
import { EngineScope } from "./engine-scope.ts";
import { invalidInput } from "./errors.ts";
import { GuardedRegistry, type Caller, type Services } from "./guarded-registry.ts";
import { SCHEMA_VERSION } from "./migrations/schema-version.ts";
import { AccessControl } from "./repositories/access-control.ts";
import { parseActor } from "./repositories/change-options.ts";
import { FileDigests } from "./repositories/file-digests.ts";
import { Files } from "./repositories/files.ts";
import { History } from "./repositories/history.ts";
import { IdempotentAnswers } from "./repositories/idempotent-answers.ts";
import { tallyModels, type ModelTally } from "./repositories/model-tally.ts";
import { Models } from "./repositories/models.ts";
import { Revisions } from "./repositories/revisions.ts";
import { Runs } from "./repositories/runs.ts";
import type { Behalf, Scope } from "./repositories/scope.ts";
import { StateMark } from "./repositories/state-mark.ts";
import { TransferWork } from "./repositories/transfer-work.ts";
import { Transfers } from "./repositories/transfers.ts";
import { Phases, TransactionScope } from "./transaction-scope.ts";
import { watch, type WatchOptions } from "./watch.ts";

export interface RegistryOptions {
  /**
   * `create` (when left out): open the registry, or make one. `write`: it must exist. `read`: it must
   * exist, and nothing is written.
   */
  mode?: "create" | "write" | "read" | undefined;
  /** Bring an older schema up to date when opening; `true` when left out. Never done for `read`. */
  migrate?: boolean | undefined;
  /** Who changes are attributed to in the history; `unknown` when left out. */
  actor?: string | undefined;
  /** How long to wait for other writers: 0 to 600,000 ms; 5,000 when left out. */
  busyTimeoutMs?: number | undefined;
}

/** The repositories of a registry, or of one transaction on it. */
export interface Repositories {
  readonly models: Models;
  readonly files: Files;
  readonly history: History;
  readonly runs: Runs;
  readonly revisions: Revisions;
  readonly idempotentAnswers: IdempotentAnswers;
  readonly transfers: Transfers;
  readonly fileDigests: FileDigests;
}

/** Which schema a registry has, and which steps lead to it. */
export interface SchemaStatus {
  readonly version: number;
  readonly latest: number;
  /** Whether the old cortex program uses the same file: see `docs/old-clients.md`. */
  readonly hasOldProgram: boolean;
  readonly migrations: readonly {
    readonly version: number;
    readonly name: string;
    /** Unix milliseconds; `null` where it is still to be applied. */
    readonly appliedAt: number | null;
  }[];
}

const CALLER_KEYS: ReadonlySet<string> = new Set(["identity", "origin", "actor", "asOf"]);
const ORIGIN_KEYS: ReadonlySet<string> = new Set(["address", "requestId"]);
const OPTION_KEYS: ReadonlySet<string> = new Set(["mode", "migrate", "actor", "busyTimeoutMs"]);

/**
 * Opens the registry in a file, or makes a new one, with the folders on the way. Any number of
 * processes can have the same registry open.
 *
 * @param location the path of the registry's file.
 * @throws RegistryError `not_found`, `not_a_registry`, `schema_too_new`, `schema_too_old` (only to
 *   read), `read_only`, `disk_full`, `database_busy`, `database_damaged`, `invalid_input`.
 * @example
 * ```ts
 * await using registry = await openRegistry("registry.db", { actor: "my-app" });
 * await registry.models.create({ modelId: "tinyllama:1b-gguf", sourceType: "cortex.so" });
 * const model = await registry.models.resolve("tinyllama:1b-gguf");
 * model.rowVersion; // 1
 * ```
 */
export async function openRegistry(location: string, options: RegistryOptions = {}): Promise<Registry> {
  checkKeys("registry options", options, OPTION_KEYS);
  const { mode = "create", migrate = true, actor = "unknown", busyTimeoutMs = 5000 } = options;
  const checkedActor = parseActor(actor);
  const engine = await openSqlite(location, {
    mode: parseWord("mode", mode, ["create", "write", "read"]),
    migrate: parseBoolean("migrate", migrate),
    busyTimeoutMs: parseInteger("busy_timeout_ms", busyTimeoutMs, 0, 600_000),
  });
  return new Registry(engine, checkedActor);
}

/** An open registry; made by {@link openRegistry}. Close it, or declare it with `await using`. */
export class Registry implements AsyncDisposable, Repositories {
  readonly models: Models;
  readonly files: Files;
  readonly history: History;
  readonly runs: Runs;
  readonly revisions: Revisions;
  readonly idempotentAnswers: IdempotentAnswers;
  readonly transfers: Transfers;
  readonly fileDigests: FileDigests;
  readonly #engine: Engine;
  readonly #mark: StateMark;
  readonly #scope: Scope;
  readonly #services: Services;
  // Made for who watches first: its parts take Node longer to load than reading a list takes.
  #closing: AbortController | undefined;
  #isClosing = false;
  readonly #phases = new Phases();
  #access: AccessControl | undefined;

  /** @internal */
  constructor(engine: Engine, actor: string) {
    this.#engine = engine;
    this.#mark = new StateMark(engine);
    this.#scope = this.#scopeOf({ actor, origin: null, access: undefined });
    this.#services = {
      location: () => engine.location,
      stateMark: (asOf) => this.#mark.read(asOf),
      watch: (history, options, { access }) => watch(engine, history, options, this.#untilClosed(), access),
      transaction: (work, behalf) => this.#transaction(work, behalf),
    };
    const all = repositories(this.#scope);
    this.models = all.models;
    this.files = all.files;
    this.history = all.history;
    this.runs = all.runs;
    this.revisions = all.revisions;
    this.idempotentAnswers = all.idempotentAnswers;
    this.transfers = all.transfers;
    this.fileDigests = all.fileDigests;
  }

  /** The absolute path of the registry's file. */
  get location(): string {
    return this.#engine.location;
  }

  /** What the registry is known by, wherever its file goes: 32 hexadecimal digits that copies share. */
  get registryId(): string {
    return this.#engine.registryId();
  }

  /** Who may use the registry through a service: users, what they are granted, and their tokens. */
  get access(): AccessControl {
    this.#access ??= new AccessControl(this.#scope, () => this.#engine.changeCounter());
    return this.#access;
  }

  /** For the processes that do the work of `transfers`. */
  get transferWork(): TransferWork {
    return new TransferWork(this.#scope);
  }

  /**
   * The registry as somebody may use it, for one request of a service.
   *
   * @throws RegistryError `invalid_input`.
   * @example
   * ```ts
   * await registry.access.users.create({ name: "ann", grants: [{ role: "editor" }] });
   * const { token } = await registry.access.tokens.create("ann");
   * const identity = await registry.access.authenticate(token);
   * const hers = registry.as({ identity, origin: { address: "192.0.2.7", requestId: "r-1" } });
   * hers.rightsOn(await hers.models.get("a")); // ["read", "run", "change"]
   * ```
   */
  as(caller: Caller): GuardedRegistry {
    checkKeys("a caller", caller, CALLER_KEYS);
    const { identity, origin, actor, asOf } = caller;
    if (identity === null) {
      const named = actor === undefined ? this.#scope.actor : parseActor(actor);
      const behalf = { actor: named, origin: parseOrigin(origin), access: undefined };
      return new GuardedRegistry(this.#scopeOf(behalf), this.#services, asOf);
    }
    const behalf = { actor: identity.user, origin: parseOrigin(origin), access: accessOf(identity) };
    return new GuardedRegistry(this.#scopeOf(behalf), this.#services, asOf);
  }

  /**
   * Runs changes as one: all of them are there afterwards, or none. Reads inside see the changes
   * before them; nobody else does until the end. Other writers wait meanwhile.
   *
   * @param work uses the repositories that it is given, and no others to write.
   * @param options.actor who the changes are attributed to.
   * @returns what `work` returns.
   * @throws RegistryError `database_busy`, `disk_full`, `read_only`; and what `work` throws.
   * @example
   * ```ts
   * await registry.transaction(async ({ models }) => {
   *   await models.update("a", { notes: "the old one" });
   *   await models.repointAlias("best", "b");
   * });
   * ```
   */
  async transaction<T>(
    work: (repositories: Repositories) => Promise<T>,
    options: { actor?: string | undefined } = {},
  ): Promise<T> {
    checkKeys("transaction options", options, new Set(["actor"]));
    const actor = options.actor === undefined ? this.#scope.actor : parseActor(options.actor);
    return this.#transaction(work, { actor, origin: null, access: undefined });
  }

  /**
   * Runs changes as {@link transaction} does and gives them up: nothing is changed.
   *
   * @returns what `work` returns: exactly what would come of it.
   * @throws RegistryError as `transaction`; and what `work` throws.
   * @example
   * ```ts
   * const left = await registry.rehearse(async ({ models }) => {
   *   await models.delete("a");
   *   return models.find("a");
   * });
   * left === undefined; // true
   * (await registry.models.get("a")).modelId; // "a"
   * ```
   */
  async rehearse<T>(
    work: (repositories: Repositories) => Promise<T>,
    options: { actor?: string | undefined } = {},
  ): Promise<T> {
    const givenUp = new Error("What is rehearsed is given up.");
    let outcome: { readonly value: T } | undefined;
    try {
      await this.transaction(async (all) => {
        outcome = { value: await work(all) };
        throw givenUp;
      }, options);
    } catch (error) {
      if (error !== givenUp) throw error;
    }
    return outcome!.value;
  }

  /**
   * Follows the history: every event after a given one, or from now on, once and in order; those of
   * other processes within 250 ms. It ends with the signal, and when the registry is closed.
   *
   * @throws RegistryError `invalid_input`.
   * @example
   * ```ts
   * for await (const event of registry.watch({ after: 0 })) {
   *   if (event.kind === "deleted") break;
   * }
   * ```
   */
  watch(options: WatchOptions = {}): AsyncGenerator<ModelEvent, undefined> {
    return this.#services.watch(this.history, options, this.#scope);
  }

  /**
   * Names the state of the models: as long as it is the same, every read of models has the same result. It is
   * the same in each process and after a restart. A status that changes because a lease has run out is
   * another state, too.
   */
  async stateMark(): Promise<string> {
    return this.#mark.read();
  }

  /**
   * A number that is another one, for this registry as it is open here, whenever anybody has committed a
   * change: the cheapest look whether there is anything new.
   *
   * @throws RegistryError `database_damaged` where another file was put in the place of this one.
   */
  changeCounter(): number {
    return this.#engine.changeCounter();
  }

  /**
   * How many models there are by source and status, of those that there are any of. A million take less than
   * a second, during which everybody else has their turn.
   */
  async tally(): Promise<ModelTally[]> {
    return tallyModels(this.#engine.reader, this.#engine.now());
  }

  /** Which schema the registry has, and which there are. */
  async schema(): Promise<SchemaStatus> {
    const { MIGRATIONS } = await import("./migrations/index.ts");
    const { version, applied } = this.#engine.schemaVersion();
    const migrations = MIGRATIONS.map((step) => ({
      version: step.version,
      name: step.name,
      appliedAt: applied.find((record) => record.version === step.version)?.appliedAt ?? null,
    }));
    return { version, latest: SCHEMA_VERSION, hasOldProgram: this.#engine.hasOldProgram(), migrations };
  }

  /**
   * Brings the schema to a version, up or down, one step at a time; the newest when left out. A step
   * down drops what that step had brought, with its data.
   *
   * @throws RegistryError `invalid_input` for a version that there is not, `schema_too_new`.
   */
  async migrate(target: number = SCHEMA_VERSION): Promise<{ from: number; to: number }> {
    this.#checkOutside();
    return this.#engine.migrate(target);
  }

  /** Waits for changes that are under way and closes the file. */
  async close(): Promise<void> {
    this.#checkOutside();
    this.#isClosing = true;
    this.#closing?.abort();
    await this.#access?.settle();
    await this.#engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #untilClosed(): AbortSignal {
    this.#closing ??= new AbortController();
    if (this.#isClosing) this.#closing.abort();
    return this.#closing.signal;
  }

  #scopeOf(behalf: Behalf): Scope {
    return new EngineScope(this.#engine, this.#write, behalf);
  }

  async #transaction<T>(work: (repositories: Repositories) => Promise<T>, behalf: Behalf): Promise<T> {
    if (typeof work !== "function")
      throw invalidInput("work", "transaction() takes a function that makes the changes.");
    return this.#write(
      async (session) => {
        const scope = new TransactionScope(session, this.#phases, this.#now, behalf);
        try {
          return await this.#phases.run("transaction", async () => work(repositories(scope)));
        } finally {
          await scope.end();
        }
      },
      { alone: true },
    );
  }

  readonly #now = (): MachineTime => this.#engine.now();

  readonly #write = <T>(work: (session: WriteSession) => Promise<T>, options?: WriteOptions): Promise<T> => {
    this.#checkOutside();
    // Only what is alone waits for others, who might come back here.
    if (options?.alone !== true) return this.#engine.write(work, options);
    return this.#engine.write((session) => this.#phases.run("change", () => work(session)), options);
  };

  // A write waits for the one before it: from within that, it would wait for ever.
  #checkOutside(): void {
    if (this.#phases.current() === undefined) return;
    throw invalidInput(
      "transaction",
      "Inside a transaction only the repositories that it passes can be used to write.",
    );
  }
}

function parseOrigin(origin: Caller["origin"]): EventOrigin | null {
  if (origin === undefined) return null;
  checkKeys("an origin", origin, ORIGIN_KEYS);
  return {
    address: parseText("address", origin.address ?? null),
    requestId: parseText("request_id", origin.requestId ?? null),
  };
}

function repositories(scope: Scope): Repositories {
  const models = new Models(scope);
  return {
    models,
    files: new Files(scope, models),
    history: new History(scope),
    runs: new Runs(scope, models),
    revisions: new Revisions(scope),
    idempotentAnswers: new IdempotentAnswers(scope),
    transfers: new Transfers(scope),
    fileDigests: new FileDigests(scope),
  };
}
