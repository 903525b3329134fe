import type { MachineTime } from "../database/machine-time.ts";
import { query, type Query, type Session } from "../database/query.ts";
import type { Access, Guarded } from "../domain/access.ts";
import { shown } from "../domain/input.ts";
import type { Model } from "../domain/model.ts";
import type { Transfer } from "../domain/transfer.ts";
import { RegistryError } from "../errors.ts";
import { toModel } from "../schema/model.ts";
import { toTransfer, type TransferTable } from "../schema/transfer.ts";
import { byId } from "./model-reader.ts";

const byTransferId: Query<{ transfer_id: number }, TransferTable> = query("transfer by id", ({ db, p }) =>
  db.selectFrom("transfer").selectAll().where("transfer_id", "=", p("transfer_id")),
);

type Changing = Omit<
  TransferTable,
  "model_id" | "source_type" | "owner" | "private" | "actor" | "origin" | "created_at"
>;
const updateTransfer: Query<Changing, unknown> = query("transfer update", ({ db, p }) =>
  db
    .updateTable("transfer")
    .set({
      reference: p("reference"),
      state: p("state"),
      repository: p("repository"),
      branch: p("branch"),
      commit_id: p("commit_id"),
      folder: p("folder"),
      files: p("files"),
      size_bytes: p("size_bytes"),
      done_bytes: p("done_bytes"),
      alias: p("alias"),
      error_code: p("error_code"),
      error_message: p("error_message"),
      updated_at: p("updated_at"),
      started_at: p("started_at"),
      finished_at: p("finished_at"),
      claims: p("claims"),
      node: p("node"),
      pid: p("pid"),
      boot_id: p("boot_id"),
      renewed_tick_ms: p("renewed_tick_ms"),
      expires_tick_ms: p("expires_tick_ms"),
    })
    .where("transfer_id", "=", p("transfer_id")),
);

/** A transfer's row, whoever may see it. */
export async function findTransferRow(
  session: Session,
  transferId: number,
): Promise<TransferTable | undefined> {
  return session.get(byTransferId, { transfer_id: transferId });
}

/**
 * A transfer's row, as far as it is seen.
 *
 * @throws RegistryError `not_found`.
 */
export async function getTransferRow(
  session: Session,
  transferId: number,
  access: Access | undefined,
): Promise<{ row: TransferTable; guarded: Guarded }> {
  const row = await findTransferRow(session, transferId);
  if (row === undefined) throw noTransfer(transferId);
  const guarded = await guardedOf(session, row);
  if (access?.sees(guarded) === false) throw noTransfer(transferId);
  return { row, guarded };
}

/** Writes what has changed of a transfer, and when. */
export async function writeTransferRow(
  session: Session,
  row: TransferTable,
  now: MachineTime,
): Promise<Transfer> {
  const changed = { ...row, updated_at: Date.now() };
  await session.run(updateTransfer, changed);
  return toTransfer(changed, now);
}

/** What decides who sees a transfer. */
export async function guardedOf(session: Session, row: TransferTable): Promise<Guarded> {
  const model = await session.get(byId, { model_id: row.model_id });
  return toGuarded(row, model && toModel(model));
}

/**
 * What decides who sees a transfer: the model that it makes, once that is there. Of one that is gone again nobody
 * knows any more for whom it was.
 */
function toGuarded(row: TransferTable, model: Model | undefined): Guarded {
  if (model !== undefined) return model;
  const { model_id: modelId, owner, state } = row;
  return { modelId, tags: [], owner, private: row.private === 1 || state === "done" };
}

function noTransfer(transferId: number): RegistryError {
  return new RegistryError("not_found", `There is no transfer ${shown(transferId)}.`);
}
