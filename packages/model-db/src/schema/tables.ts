import type { Generated } from "kysely";

import type { GrantTable, TokenTable, UserTable } from "./access.ts";
import type { EventTable } from "./event.ts";
import type { FileDigestTable } from "./file-digest.ts";
import type { FileTable } from "./file.ts";
import type { IdempotentAnswerTable } from "./idempotent-answer.ts";
import type { ModelTable } from "./model.ts";
import type { RunTable } from "./run.ts";
import type { TransferTable } from "./transfer.ts";

/** The tables as queries see them; `migrations` is what makes them so. */
export interface Tables {
  model: ModelTable;
  model_name: { name: string; model_seq: number };
  model_tag: { model_seq: number; tag: string };
  model_file: FileTable;
  model_event: EventTable;
  /** The same rows, found by their model. */
  model_event_by_model: EventTable;
  model_run: RunTable;
  model_search: { rowid: Generated<number>; text: string };
  registry: { registry_id: string; created_at: number };
  model_search_text: { seq: number; text: string };
  /** Events of old programs whose models the search index and the checksums do not know yet. */
  model_unseen: { event_id: number; model_seq: number };
  access_user: UserTable;
  access_grant: GrantTable;
  access_token: TokenTable;
  /** One row; grows with each change of the three above that decides who may do what. */
  access_revision: { number: 1; revision: number };
  idempotent_answer: IdempotentAnswerTable;
  transfer: TransferTable;
  file_digest: FileDigestTable;
}
