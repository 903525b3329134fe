import type { SqlBool } from "kysely";

import type { MachineTime } from "../database/machine-time.ts";
import { query, type ParameterValue, type Query, type Session } from "../database/query.ts";
import { checkKeys, parseInteger, parseName, parseText, shown } from "../domain/input.ts";
import { MODEL_STATUS, type Model } from "../domain/model.ts";
import type { NewRun, Run } from "../domain/run.ts";
import { invalidInput, RegistryError } from "../errors.ts";
import { leaseFor } from "../schema/lease.ts";
import { toModel } from "../schema/model.ts";
import { toRun, type RunTable } from "../schema/run.ts";
import { parseChangeOptions } from "./change-options.ts";
import { leaseHolds, momentOf, type Moment } from "./lease-holds.ts";
import { byId } from "./model-reader.ts";
import { leaseLost, readForChange, writeStatus } from "./model-row.ts";
import type { Models } from "./models.ts";
import type { ChangeOptions, Scope } from "./scope.ts";
import { visibilityOf, type Visibility } from "./visibility.ts";

type Live = Record<string, ParameterValue> & Moment;

function live(visibility: Visibility | undefined): Query<Live, RunTable> {
  return query(`runs live${visibility?.key ?? ""}`, (context) => {
    const { db, sql, p } = context;
    let runs = db.selectFrom("model_run").selectAll().where(leaseHolds({ sql, p }, "model_run"));
    if (visibility !== undefined) {
      const seen = visibility.ofModel(context);
      runs = runs.where(
        sql<SqlBool>`exists (select 1 from model where model.model_id = model_run.model_id and ${seen})`,
      );
    }
    return runs.orderBy("token");
  });
}
const liveOfModel: Query<Moment & { model_id: string }, RunTable> = query(
  "runs live of model",
  ({ db, sql, p }) =>
    db
      .selectFrom("model_run")
      .selectAll()
      .where("model_id", "=", p("model_id"))
      .where(leaseHolds({ sql, p }, "model_run"))
      .orderBy("token"),
);
const liveByToken: Query<Moment & { token: number }, RunTable> = query(
  "run live by token",
  ({ db, sql, p }) =>
    db
      .selectFrom("model_run")
      .selectAll()
      .where("token", "=", p("token"))
      .where(leaseHolds({ sql, p }, "model_run")),
);
const takerOf: Query<{ token: number }, { actor: string }> = query("run taker", ({ db, p }) =>
  db.selectFrom("model_event").select("actor").where("event_id", "=", p("token")),
);
const insertRun: Query<RunTable, unknown> = query("run insert", ({ db, p }) =>
  db.insertInto("model_run").values({
    token: p("token"),
    model_id: p("model_id"),
    holder: p("holder"),
    node: p("node"),
    pid: p("pid"),
    endpoint: p("endpoint"),
    started_at: p("started_at"),
    ttl_ms: p("ttl_ms"),
    renewed_at: p("renewed_at"),
    boot_id: p("boot_id"),
    renewed_tick_ms: p("renewed_tick_ms"),
    expires_tick_ms: p("expires_tick_ms"),
  }),
);
const renewRun: Query<
  Pick<RunTable, "token" | "endpoint" | "ttl_ms" | "renewed_at" | "renewed_tick_ms" | "expires_tick_ms">,
  unknown
> = query("run renew", ({ db, p }) =>
  db
    .updateTable("model_run")
    .set({
      endpoint: p("endpoint"),
      ttl_ms: p("ttl_ms"),
      renewed_at: p("renewed_at"),
      renewed_tick_ms: p("renewed_tick_ms"),
      expires_tick_ms: p("expires_tick_ms"),
    })
    .where("token", "=", p("token")),
);
const deleteExpired: Query<Moment & { model_id: string }, unknown> = query(
  "runs delete expired",
  ({ db, sql, p }) =>
    db
      .deleteFrom("model_run")
      .where("model_id", "=", p("model_id"))
      .where(sql<boolean>`not ${leaseHolds({ sql, p }, "model_run")}`),
);
const deleteRun: Query<{ token: number }, unknown> = query("run delete", ({ db, p }) =>
  db.deleteFrom("model_run").where("token", "=", p("token")),
);

const RUN_KEYS: ReadonlySet<string> = new Set(["holder", "node", "pid", "endpoint", "ttlMs", "join"]);
const DEFAULT_TTL_MS = 30_000;
const MIN_TTL_MS = 1000;
const MAX_TTL_MS = 30 * 24 * 3600 * 1000;

/**
 * Who runs which model. A lease holds until its time is over on the machine's monotonic clock, which
 * no adjustment of the wall clock moves and which ends with the machine's restart; so a holder that
 * died is not running, and nobody has to clean up after it.
 */
export class Runs {
  readonly #scope: Scope;
  readonly #models: Models;

  constructor(scope: Scope, models: Models) {
    this.#scope = scope;
    this.#models = models;
  }

  /**
   * Claims a model for a program that runs it. The same holder, node and process id again renews the
   * lease it has; with another endpoint that is for who took it, and for admins.
   *
   * @returns the lease; pass its `token` to guarded changes, `renew` and `release`.
   * @throws RegistryError `model_running` when another holds it and `join` is not asked for,
   *   `model_not_found`, `permission_denied`, `row_version_mismatch`, `invalid_input`.
   * @example
   * ```ts
   * const run = await registry.runs.acquire("tiny.q4_k_m", { holder: "my-engine", ttlMs: 30_000 });
   * await registry.models.update("tiny.q4_k_m", { notes: "warm" }, { leaseToken: run.token });
   * await registry.runs.release(run.token);
   * ```
   */
  async acquire(name: string, run: NewRun, options?: ChangeOptions): Promise<Run> {
    const wanted = parseName("name", name);
    const claim = parseNewRun(run);
    const change = parseChangeOptions(options, this.#scope);
    return this.#scope.write(async (session) => {
      const now = this.#scope.now();
      const stored = await readForChange(session, wanted, "run", change, now);
      const { model } = stored;
      const others = await session.all(liveOfModel, { model_id: model.modelId, ...momentOf(now) });
      const own = others.find(
        (row) => row.holder === claim.holder && row.node === claim.node && row.pid === claim.pid,
      );
      if (own !== undefined) {
        const endpoint = claim.endpoint ?? own.endpoint;
        if (endpoint !== own.endpoint) await this.#checkTaker(session, model, own);
        return renew(session, { ...own, endpoint }, claim.ttlMs, now);
      }
      const [other] = others;
      if (other !== undefined && !claim.join) throw modelRunning(model.modelId, toRun(other, now));
      await session.run(deleteExpired, { model_id: model.modelId, ...momentOf(now) });
      const { join: _, ttlMs, ...holder } = claim;
      const startedAt = Date.now();
      const running = { ...model, status: MODEL_STATUS.RUNNING, lastUsedAt: startedAt };
      const details = { ...holder, ttl_ms: ttlMs };
      const { actor, origin } = change;
      const { eventId } = await writeStatus(session, stored, running, "started", { actor, origin, details });
      const row: RunTable = {
        token: eventId,
        model_id: model.modelId,
        ...holder,
        started_at: startedAt,
        ttl_ms: ttlMs,
        renewed_at: startedAt,
        ...leaseFor(ttlMs, now),
      };
      await session.run(insertRun, row);
      return toRun(row, now);
    });
  }

  /**
   * Extends a lease that still holds, from now.
   *
   * @param options.ttlMs 1,000 to 2,592,000,000 ms; as long as before when left out.
   * @throws RegistryError `lease_lost`, `permission_denied`.
   */
  async renew(token: number, options: { ttlMs?: number | undefined } = {}): Promise<Run> {
    parseInteger("token", token, 1);
    checkKeys("renew options", options, new Set(["ttlMs"]));
    const ttlMs = options.ttlMs === undefined ? undefined : parseTtl(options.ttlMs);
    return this.#scope.write(async (session) => {
      const now = this.#scope.now();
      const row = await session.get(liveByToken, { token, ...momentOf(now) });
      if (row === undefined) throw leaseLost(token);
      await this.#checkLeased(session, row);
      return renew(session, row, ttlMs ?? row.ttl_ms, now);
    });
  }

  /**
   * Gives a lease back; with the last one the model is READY.
   *
   * @throws RegistryError `lease_lost` when it no longer holds, `permission_denied`.
   */
  async release(token: number, options?: { actor?: string | undefined }): Promise<void> {
    parseInteger("token", token, 1);
    const change = parseChangeOptions(options, this.#scope);
    await this.#scope.write(
      async (session) => {
        const now = this.#scope.now();
        const row = await session.get(liveByToken, { token, ...momentOf(now) });
        if (row === undefined) throw leaseLost(token);
        await this.#checkLeased(session, row);
        const stored = await readForChange(session, row.model_id, "run", change, now);
        await session.run(deleteRun, { token });
        const rest = await session.all(liveOfModel, { model_id: row.model_id, ...momentOf(now) });
        const status = rest.length === 0 ? MODEL_STATUS.READY : MODEL_STATUS.RUNNING;
        const details = { holder: row.holder, node: row.node, pid: row.pid };
        const { actor, origin } = change;
        const stopped = { ...stored.model, status };
        await writeStatus(session, stored, stopped, "stopped", { actor, origin, details });
      },
      { makesRoom: true },
    );
  }

  /**
   * The leases that hold now, of all models or of one, oldest first.
   *
   * @throws RegistryError `model_not_found`.
   */
  async list(options: { name?: string | undefined } = {}): Promise<Run[]> {
    checkKeys("runs options", options, new Set(["name"]));
    const { reader } = this.#scope;
    const now = this.#scope.now();
    if (options.name === undefined) {
      const visibility = visibilityOf(this.#scope.access);
      const rows = await reader.all(live(visibility), { ...visibility?.values, ...momentOf(now) });
      return rows.map((row) => toRun(row, now));
    }
    const model = await this.#models.resolve(options.name);
    const rows = await reader.all(liveOfModel, { model_id: model.modelId, ...momentOf(now) });
    return rows.map((row) => toRun(row, now));
  }

  // No event tells that a lease answers elsewhere from now on, so nobody can have another's do so.
  async #checkTaker(session: Session, model: Model, { token }: RunTable): Promise<void> {
    const { access } = this.#scope;
    if (access === undefined || access.rightsOn(model).includes("admin")) return;
    const taker = await session.get(takerOf, { token });
    if (taker?.actor === access.user) return;
    throw new RegistryError(
      "permission_denied",
      `Lease ${token} on ${shown(model.modelId)} is another's: saying where it answers needs the right "admin". Take a lease of your own, with another holder.`,
    );
  }

  // A lease on a model that is not seen is as if it did not hold.
  async #checkLeased(session: Session, { model_id, token }: RunTable): Promise<void> {
    const { access } = this.#scope;
    if (access === undefined) return;
    const model = toModel((await session.get(byId, { model_id }))!);
    if (!access.sees(model)) throw leaseLost(token);
    access.check("run", model);
  }
}

async function renew(session: Session, row: RunTable, ttlMs: number, now: MachineTime): Promise<Run> {
  const renewed = { ...row, ttl_ms: ttlMs, renewed_at: Date.now(), ...leaseFor(ttlMs, now) };
  await session.run(renewRun, renewed);
  return toRun(renewed, now);
}

function modelRunning(modelId: string, run: Run): RegistryError {
  const until = new Date(run.expiresAt).toISOString();
  return new RegistryError(
    "model_running",
    `${shown(modelId)} is run by ${shown(run.holder)} on ${shown(run.node)} until ${until}. Release that lease first, or join it.`,
  );
}

function parseNewRun(run: NewRun): {
  holder: string;
  node: string;
  pid: number | null;
  endpoint: string | null;
  ttlMs: number;
  join: boolean;
} {
  checkKeys("a run", run, RUN_KEYS);
  const holder = parseText("holder", run.holder ?? null);
  if (holder === null)
    throw invalidInput("holder", "holder must not be empty: name the program that runs the model.");
  if (run.join !== undefined && typeof run.join !== "boolean") {
    throw invalidInput("join", `join must be true or false, not ${shown(run.join)}.`);
  }
  return {
    holder,
    node: parseText("node", run.node ?? null) ?? process.getBuiltinModule("node:os").hostname(),
    pid:
      run.pid === undefined
        ? process.pid
        : run.pid === null
          ? null
          : parseInteger("pid", run.pid, 1, 2 ** 31),
    endpoint: parseText("endpoint", run.endpoint ?? null),
    ttlMs: run.ttlMs === undefined ? DEFAULT_TTL_MS : parseTtl(run.ttlMs),
    join: run.join ?? false,
  };
}

function parseTtl(ttlMs: unknown): number {
  return parseInteger("ttl_ms", ttlMs, MIN_TTL_MS, MAX_TTL_MS);
}
