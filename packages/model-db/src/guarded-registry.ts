import { RIGHTS, type Access, type Guarded, type Identity, type Right } from "./domain/access.ts";
import type { EventOrigin, ModelEvent } from "./domain/event.ts";
import type { Repositories } from "./registry.ts";
import { FileDigests } from "./repositories/file-digests.ts";
import { Files } from "./repositories/files.ts";
import { History } from "./repositories/history.ts";
import { IdempotentAnswers } from "./repositories/idempotent-answers.ts";
import { Models } from "./repositories/models.ts";
import { Revisions } from "./repositories/revisions.ts";
import { Runs } from "./repositories/runs.ts";
import type { Behalf, Scope } from "./repositories/scope.ts";
import { Transfers } from "./repositories/transfers.ts";
import { visibilityOf } from "./repositories/visibility.ts";
import { rowChecksum } from "./schema/row-checksum.ts";
import type { WatchOptions } from "./watch.ts";

/** On whose behalf a service uses a registry. */
export interface Caller {
  /** Who it is; `null`: anybody, and anybody may do everything. */
  readonly identity: Identity | null;
  /** Where the request came from, for the history. */
  readonly origin?: Partial<EventOrigin> | undefined;
  /** Who changes are attributed to where nobody is known; the registry's own actor when left out. */
  readonly actor?: string | undefined;
  /**
   * For one who only reads: `registry.changeCounter()` since the request came in. The state of that moment is
   * new enough, and is not looked for again.
   */
  readonly asOf?: number | undefined;
}

/** What a registry does for callers beyond its repositories. */
export interface Services {
  readonly location: () => string;
  /** @param asOf the change counter of a moment that is new enough. */
  stateMark(asOf: number | undefined): string | Promise<string>;
  watch(history: History, options: WatchOptions, behalf: Behalf): AsyncGenerator<ModelEvent, undefined>;
  transaction<T>(work: (repositories: Repositories) => Promise<T>, behalf: Behalf): Promise<T>;
}

// The mark of the state of those models that somebody sees, and of which state it is.
const ownMarks = new WeakMap<Access, { mark: string; own: string }>();

/**
 * A registry as one caller may use it: what the caller may not see is as if it were not there, what may be
 * seen and not done is refused with `permission_denied`, and changes are attributed to the caller. Made by
 * `registry.as`, for each request anew.
 */
export class GuardedRegistry implements Repositories {
  readonly #scope: Scope;
  readonly #services: Services;
  readonly #asOf: number | undefined;
  #models: Models | undefined;
  #history: History | undefined;

  /** @internal */
  constructor(scope: Scope, services: Services, asOf: number | undefined) {
    this.#scope = scope;
    this.#services = services;
    this.#asOf = asOf;
  }

  /** Whether there is no model that the caller does not see. */
  get seesAll(): boolean {
    return this.#scope.access?.seesAll ?? true;
  }

  get models(): Models {
    return (this.#models ??= new Models(this.#scope));
  }

  get files(): Files {
    return new Files(this.#scope, this.models);
  }

  get history(): History {
    return (this.#history ??= new History(this.#scope));
  }

  get runs(): Runs {
    return new Runs(this.#scope, this.models);
  }

  get revisions(): Revisions {
    return new Revisions(this.#scope);
  }

  get idempotentAnswers(): IdempotentAnswers {
    return new IdempotentAnswers(this.#scope);
  }

  get transfers(): Transfers {
    return new Transfers(this.#scope);
  }

  get fileDigests(): FileDigests {
    return new FileDigests(this.#scope);
  }

  /**
   * The absolute path of the registry's file, for its maintenance.
   *
   * @throws RegistryError `permission_denied` to whoever may not administer it.
   */
  get location(): string {
    this.check("admin");
    return this.#services.location();
  }

  /**
   * As `registry.watch`, the events that the caller sees when they happen.
   *
   * @throws RegistryError `invalid_input`.
   */
  watch(options: WatchOptions = {}): AsyncGenerator<ModelEvent, undefined> {
    return this.#services.watch(this.history, options, this.#scope);
  }

  /**
   * As `registry.transaction`, with repositories as the caller may use them.
   *
   * @throws RegistryError as `registry.transaction`.
   */
  transaction<T>(work: (repositories: Repositories) => Promise<T>): Promise<T> {
    return this.#services.transaction(work, this.#scope);
  }

  /**
   * As `registry.stateMark`, of the models that the caller sees: it is another one, too, when that changes by
   * what the caller is granted.
   */
  async stateMark(): Promise<string> {
    const looked = this.#services.stateMark(this.#asOf);
    const mark = typeof looked === "string" ? looked : await looked;
    const { access } = this.#scope;
    if (access === undefined || access.seesAll) return mark;
    const known = ownMarks.get(access);
    if (known?.mark === mark) return known.own;
    const { key, values } = visibilityOf(access)!;
    const own = rowChecksum([mark, key, ...Object.values(values)]);
    ownMarks.set(access, { mark, own });
    return own;
  }

  /** What the caller may do to a model, in the order of `RIGHTS`; nothing where it is not seen. */
  rightsOn(model: Guarded): readonly Right[] {
    return this.#scope.access?.rightsOn(model) ?? RIGHTS;
  }

  /**
   * Refuses what is about the registry as a whole, such as its backup, unless the caller has a right for
   * all models.
   *
   * @throws RegistryError `permission_denied`, naming the right.
   */
  check(right: Right): void {
    this.#scope.access?.checkAll(right);
  }

  /**
   * Refuses what is begun before it is known which model it is about, unless the caller is granted it for some.
   *
   * @param what it is, for people: `Fetching models`.
   * @throws RegistryError `permission_denied`, naming the right.
   */
  checkAny(right: Right, what: string): void {
    this.#scope.access?.checkAny(right, what);
  }
}
