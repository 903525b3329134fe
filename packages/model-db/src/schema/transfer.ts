import type { MachineTime } from "../database/machine-time.ts";
import type { JsonObject, SourceType } from "../domain/model.ts";
import { fromOriginRecord, fromTransferFileRecord } from "../domain/record.ts";
import type { Transfer, TransferState } from "../domain/transfer.ts";
import { RegistryError } from "../errors.ts";
import { isHeld, type LeaseColumns } from "./lease.ts";

/** The row of `transfer`. */
export interface TransferTable extends LeaseColumns {
  transfer_id: number;
  reference: string;
  /** `running` also after the process that worked on it has ended: the lease tells. */
  state: TransferState;
  model_id: string;
  source_type: SourceType;
  repository: string | null;
  branch: string | null;
  commit_id: string | null;
  folder: string;
  /** JSON: array of objects. */
  files: string;
  size_bytes: number | null;
  done_bytes: number;
  alias: string | null;
  owner: string | null;
  private: 0 | 1;
  actor: string;
  /** JSON: object. */
  origin: string | null;
  error_code: string | null;
  error_message: string | null;
  created_at: number;
  updated_at: number;
  started_at: number | null;
  finished_at: number | null;
  /** How many processes have taken it up: the last one's number. */
  claims: number;
  node: string | null;
  pid: number | null;
}

/** The transfer that a row holds, as seen at `now`. @throws RegistryError `database_damaged` */
export function toTransfer(row: TransferTable, now: MachineTime): Transfer {
  const worked = isHeld(row, now);
  try {
    return {
      transferId: row.transfer_id,
      reference: row.reference,
      state: row.state === "running" && !worked ? "queued" : row.state,
      modelId: row.model_id,
      sourceType: row.source_type,
      repository: row.repository,
      branch: row.branch,
      commitId: row.commit_id,
      folder: row.folder,
      files: (JSON.parse(row.files) as JsonObject[]).map(fromTransferFileRecord),
      sizeBytes: row.size_bytes,
      doneBytes: row.done_bytes,
      alias: row.alias,
      owner: row.owner,
      private: row.private === 1,
      actor: row.actor,
      origin: row.origin === null ? null : fromOriginRecord(JSON.parse(row.origin) as JsonObject),
      errorCode: row.error_code,
      errorMessage: row.error_message,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      startedAt: row.started_at,
      finishedAt: row.finished_at,
      node: worked ? row.node : null,
      pid: worked ? row.pid : null,
    };
  } catch (error) {
    throw new RegistryError("database_damaged", `Transfer ${row.transfer_id} is damaged.`, { cause: error });
  }
}
