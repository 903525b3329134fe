import type { Engine } from "../database/engine.ts";
import type { MachineTime } from "../database/machine-time.ts";
import { query, type Query } from "../database/query.ts";
import { rowChecksum } from "../schema/row-checksum.ts";
import { leaseHolds, momentOf, type Moment } from "./lease-holds.ts";

interface State {
  registry_id: string;
  /** The newest event's id and checksum. */
  newest: string | null;
  /** How many leases hold: between two events they only become fewer. */
  held: number;
  /** When the next lease runs out. */
  until: number | null;
  /** Whether there are rows of old programs whose checksums are yet to come. */
  unseen: number;
}

// One statement, so that all of it is of one moment.
const state: Query<Moment, State> = query("state", (context) => {
  const { db, sql } = context;
  const held = sql`from model_run where ${leaseHolds(context, "model_run")}`;
  return db
    .selectFrom("registry")
    .select("registry_id")
    .select([
      sql<string>`(select event_id || ' ' || row_checksum from model_event order by event_id desc limit 1)`.as(
        "newest",
      ),
      sql<number>`(select count(*) ${held})`.as("held"),
      sql<number>`(select min(expires_tick_ms) ${held})`.as("until"),
      sql<number>`exists (select 1 from model_unseen)`.as("unseen"),
    ]);
});

/** Names the state of a registry's models, without looking at it again while nothing has happened. */
export class StateMark {
  readonly #engine: Engine;
  #mark: string | undefined;
  #counter: number | undefined;
  #time: MachineTime = { bootId: "", tick: 0 };
  #until = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * What {@link Registry.stateMark} returns.
   *
   * @param counter the change counter of the moment whose state is meant, or of one before it: what is
   *   committed in between is read now or changes it again.
   */
  read(counter: number = this.#engine.changeCounter()): string | Promise<string> {
    const now = this.#engine.now();
    const isSame = counter === this.#counter && now.bootId === this.#time.bootId && now.tick <= this.#until;
    return isSame ? this.#mark! : this.#look(counter, now);
  }

  async #look(counter: number, now: MachineTime): Promise<string> {
    const found = (await this.#engine.reader.get(state, momentOf(now)))!;
    const { registry_id, newest, held, unseen, until } = found;
    // Hashed so that it does not tell how many changes there were.
    this.#mark = rowChecksum([registry_id, newest, held, unseen]);
    this.#counter = counter;
    this.#time = now;
    this.#until = until ?? Infinity;
    return this.#mark;
  }
}
