import type { WriteOptions } from "../database/engine.ts";
import { query, type Query, type Session, type WriteSession } from "../database/query.ts";
import { checkKeys, parseInteger, shown } from "../domain/input.ts";
import type { JsonObject, NewModel, NewModelFile } from "../domain/model.ts";
import { applyUpdate, parseModelUpdate, parseNewModel } from "../domain/parse-model.ts";
import { fromOriginRecord, toFileRecord } from "../domain/record.ts";
import type { Transfer, TransferClaim, TransferFileProgress } from "../domain/transfer.ts";
import { RegistryError, type ErrorCode } from "../errors.ts";
import { isHeld, leaseFor, NO_LEASE } from "../schema/lease.ts";
import type { TransferTable } from "../schema/transfer.ts";
import { deleteFile, insertFile, readFiles } from "./file-rows.ts";
import { leaseHolds, momentOf, type Moment } from "./lease-holds.ts";
import { byId } from "./model-reader.ts";
import { readForChange, writeFilesChange } from "./model-row.ts";
import { changeModel, insertModel, insertSearch, modelOf } from "./models.ts";
import type { Scope } from "./scope.ts";
import { findTransferRow, writeTransferRow } from "./transfer-rows.ts";
import { parseTransferId } from "./transfers.ts";

const freeTransfers: Query<Moment, TransferTable> = query("transfers free", ({ db, sql, p }) =>
  db
    .selectFrom("transfer")
    .selectAll()
    .where("finished_at", "is", null)
    .where(sql<boolean>`state in ('queued', 'running')`)
    .where(sql<boolean>`not ${leaseHolds({ sql, p }, "transfer")}`)
    .orderBy("transfer_id"),
);
const heldTransfers: Query<Moment, TransferTable> = query("transfers held", ({ db, sql, p }) =>
  db.selectFrom("transfer").selectAll().where(leaseHolds({ sql, p }, "transfer")),
);

const CLAIM_KEYS: ReadonlySet<string> = new Set(["transferId", "ttlMs"]);
const DEFAULT_TTL_MS = 5000;
// A disk that is full is one reason why work ends, and that it did must be told.
const ENDS: WriteOptions = { makesRoom: true };

/** What a model has become that was fetched: what its files say. */
export type FetchedModel = Omit<
  NewModel,
  "modelId" | "sourceType" | "alias" | "aliases" | "availability" | "owner" | "private" | "files"
> & { files: readonly NewModelFile[] };

/** A claim, and the transfer that it is on. */
export interface ClaimedTransfer extends TransferClaim {
  readonly transfer: Transfer;
}

/**
 * For whoever does the work of transfers. A claim holds as long as it is renewed in time, on the machine's
 * monotonic clock; then another process takes the transfer up, and the old claim can change nothing any more.
 */
export class TransferWork {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /**
   * Takes up a transfer that is queued, or whose worker has ended: the one that is named, else the oldest. One that
   * shares a file with another waits until nobody works on that.
   *
   * @param options.ttlMs how long the claim holds unless it is renewed; 5,000 ms when left out.
   * @returns `undefined` where there is none, or somebody else works on it or on one of its files.
   */
  async claim(
    options: { transferId?: number | undefined; ttlMs?: number | undefined } = {},
  ): Promise<ClaimedTransfer | undefined> {
    checkKeys("claim options", options, CLAIM_KEYS);
    const { transferId, ttlMs = DEFAULT_TTL_MS } = options;
    parseInteger("ttl_ms", ttlMs, 1000, 3_600_000);
    if (transferId !== undefined) parseTransferId(transferId);
    // Whoever looks every second keeps nobody from writing.
    if ((await this.#findFree(this.#scope.reader, transferId)) === undefined) return undefined;
    return this.#scope.write(async (session) => {
      const row = await this.#findFree(session, transferId);
      if (row === undefined) return undefined;
      return this.#take(
        session,
        { ...row, state: "running", started_at: row.started_at ?? Date.now() },
        ttlMs,
      );
    });
  }

  /**
   * Takes up a transfer that was cancelled, to delete what it has written.
   *
   * @returns `undefined` where it was not, or where somebody works on it, who does that.
   */
  async claimCancelled(transferId: number): Promise<ClaimedTransfer | undefined> {
    const id = parseTransferId(transferId);
    return this.#scope.write(async (session) => {
      const row = await findTransferRow(session, id);
      return row?.state === "cancelled" ? this.#take(session, row, DEFAULT_TTL_MS) : undefined;
    });
  }

  /**
   * Renews a claim and tells how far the files are.
   *
   * @returns the transfer: where its state is no longer `running` somebody wants the work to stop.
   * @throws RegistryError `lease_lost`.
   */
  async report(
    claim: TransferClaim,
    progress: readonly TransferFileProgress[],
    options: { ttlMs?: number | undefined } = {},
  ): Promise<Transfer> {
    const { ttlMs = DEFAULT_TTL_MS } = options;
    return this.#change(claim, async (row, session) => {
      const now = this.#scope.now();
      return writeTransferRow(
        session,
        { ...row, ...progressed(row, progress), ...leaseFor(ttlMs, now) },
        now,
      );
    });
  }

  /**
   * Gives a claim back: a transfer that was running is queued again, for the next.
   *
   * @throws RegistryError `lease_lost`.
   */
  async release(claim: TransferClaim, progress: readonly TransferFileProgress[] = []): Promise<Transfer> {
    return this.#change(
      claim,
      async (row, session) => {
        const state = row.state === "running" ? "queued" : row.state;
        const released = { ...row, ...progressed(row, progress), state, ...NO_LEASE };
        return writeTransferRow(session, released, this.#scope.now());
      },
      ENDS,
    );
  }

  /**
   * Says that a transfer cannot go on, and why, and gives the claim back. One that somebody paused or gave up
   * meanwhile stays that.
   *
   * @throws RegistryError `lease_lost`.
   */
  async fail(
    claim: TransferClaim,
    failure: { code: ErrorCode | "internal_error"; message: string },
    progress: readonly TransferFileProgress[] = [],
  ): Promise<Transfer> {
    return this.#change(
      claim,
      async (row, session) => {
        const failed: Partial<TransferTable> =
          row.state === "running"
            ? { state: "failed", error_code: failure.code, error_message: failure.message }
            : {};
        const released = { ...row, ...progressed(row, progress), ...failed, ...NO_LEASE };
        return writeTransferRow(session, released, this.#scope.now());
      },
      ENDS,
    );
  }

  /**
   * Registers the model, or what it has become, with its files, in one step with the end of the transfer. It is
   * attributed to whoever asked for it. An alias that another model has got meanwhile is not insisted on.
   *
   * @throws RegistryError `lease_lost` where the claim no longer holds or somebody stopped the transfer,
   *   `name_taken`, `invalid_input`.
   */
  async finish(
    claim: TransferClaim,
    model: FetchedModel,
    progress: readonly TransferFileProgress[] = [],
  ): Promise<Transfer> {
    return this.#change(claim, async (row, session) => {
      if (row.state !== "running") throw claimLost(claim);
      await this.#register(session, row, model);
      const finished: TransferTable = {
        ...row,
        ...progressed(row, progress),
        state: "done",
        finished_at: Date.now(),
        ...NO_LEASE,
      };
      return writeTransferRow(session, finished, this.#scope.now());
    });
  }

  async #findFree(session: Session, transferId: number | undefined): Promise<TransferTable | undefined> {
    const moment = momentOf(this.#scope.now());
    const free = await session.all(freeTransfers, moment);
    const wanted = transferId === undefined ? free : free.filter((row) => row.transfer_id === transferId);
    if (wanted.length === 0) return undefined;
    const held = new Set((await session.all(heldTransfers, moment)).flatMap(placesOf));
    return wanted.find((row) => placesOf(row).every((place) => !held.has(place)));
  }

  async #take(
    session: WriteSession,
    row: TransferTable,
    ttlMs: number,
  ): Promise<ClaimedTransfer | undefined> {
    const now = this.#scope.now();
    if (isHeld(row, now)) return undefined;
    const claim = row.claims + 1;
    const mine = {
      claims: claim,
      node: process.getBuiltinModule("node:os").hostname(),
      pid: process.pid,
      ...leaseFor(ttlMs, now),
    };
    const transfer = await writeTransferRow(session, { ...row, ...mine }, now);
    return { transferId: row.transfer_id, claim, transfer };
  }

  async #register(session: WriteSession, row: TransferTable, fetched: FetchedModel): Promise<void> {
    const { model_id: modelId, source_type: sourceType, actor } = row;
    const origin = row.origin === null ? null : fromOriginRecord(JSON.parse(row.origin) as JsonObject);
    const change = { actor, origin, access: undefined };
    const { files: newFiles, ...facts } = fetched;
    const isTaken =
      row.alias !== null &&
      ![undefined, modelId].includes((await session.get(modelOf, { name: row.alias }))?.model_id);
    const alias = row.alias === null || isTaken ? undefined : row.alias;
    const draft = parseNewModel(
      {
        ...facts,
        files: newFiles,
        modelId,
        sourceType,
        ...(alias === undefined ? {} : { alias }),
        owner: row.owner,
        private: row.private === 1,
        availability: "present",
      },
      Date.now(),
      null,
    );
    if ((await session.get(byId, { model_id: modelId })) === undefined) {
      const created = await insertModel(session, draft, change, "fail");
      await session.run(insertSearch, { first: created!.seq, last: created!.seq });
      return;
    }
    const stored = await readForChange(session, modelId, "change", change, this.#scope.now());
    const { createdAt: _created, updatedAt: _updated, ...changed } = facts;
    const update = parseModelUpdate({
      ...changed,
      sourceType,
      availability: "present",
      ...(alias === undefined ? {} : { alias }),
    });
    const current = await changeModel(session, stored, applyUpdate(stored.model, update), change);
    const before = await readFiles(session, modelId);
    const records = { before: before.map(toFileRecord), after: draft.files.map(toFileRecord) };
    if (JSON.stringify(records.before) === JSON.stringify(records.after)) return;
    for (const { path } of before) await deleteFile(session, modelId, path);
    for (const file of draft.files) await insertFile(session, modelId, file);
    await writeFilesChange(session, { seq: stored.seq, model: current }, records, change);
  }

  async #change<T>(
    claim: TransferClaim,
    work: (row: TransferTable, session: WriteSession) => Promise<T>,
    options?: WriteOptions,
  ): Promise<T> {
    const id = parseTransferId(claim.transferId);
    return this.#scope.write(async (session) => {
      const row = await findTransferRow(session, id);
      if (row === undefined || row.claims !== claim.claim || !isHeld(row, this.#scope.now())) {
        throw claimLost(claim);
      }
      return work(row, session);
    }, options);
  }
}

/** Where the files of a transfer go. */
function placesOf({ folder, files }: TransferTable): string[] {
  return (JSON.parse(files) as { path: string }[]).map(({ path }) => `${folder}/${path}`);
}

function progressed(
  row: TransferTable,
  progress: readonly TransferFileProgress[],
): Pick<TransferTable, "files" | "done_bytes"> {
  const told = new Map(progress.map((file) => [file.path, file]));
  const files = (JSON.parse(row.files) as JsonObject[]).map((file) => {
    const { doneBytes, isOurs } = told.get(file["path"] as string) ?? {};
    return doneBytes === undefined ? file : { ...file, done_bytes: doneBytes, is_ours: isOurs! };
  });
  return {
    files: JSON.stringify(files),
    done_bytes: files.reduce((sum, file) => sum + (file["done_bytes"] as number), 0),
  };
}

function claimLost({ transferId }: TransferClaim): RegistryError {
  return new RegistryError(
    "lease_lost",
    `Transfer ${shown(transferId)} is no longer this process's: it was stopped, or another has taken it up.`,
  );
}
