import type { Engine } from "./database/engine.ts";
import type { MachineTime } from "./database/machine-time.ts";
import type { Session } from "./database/query.ts";
import type { Access } from "./domain/access.ts";
import type { EventOrigin } from "./domain/event.ts";
import type { Behalf, Scope } from "./repositories/scope.ts";

/**
 * What repositories see outside a transaction. One is made for each request to a service: an object literal
 * with a getter would take a microsecond.
 */
export class EngineScope implements Scope {
  readonly actor: string;
  readonly origin: EventOrigin | null;
  readonly access: Access | undefined;
  readonly write: Scope["write"];
  readonly #engine: Engine;

  constructor(engine: Engine, write: Scope["write"], { actor, origin, access }: Behalf) {
    this.#engine = engine;
    this.write = write;
    this.actor = actor;
    this.origin = origin;
    this.access = access;
  }

  /** Opened when it is first asked for. */
  get reader(): Session {
    return this.#engine.reader;
  }

  now(): MachineTime {
    return this.#engine.now();
  }
}
