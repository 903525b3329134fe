import { query, type ParameterValue, type Query } from "../database/query.ts";
import {
  checkKeys,
  parseBoolean,
  parseInteger,
  parseList,
  parseName,
  parseText,
  parseWord,
  shown,
} from "../domain/input.ts";
import type { Page } from "../domain/list-options.ts";
import { FILE_ROLES, SOURCE_TYPES, type JsonObject } from "../domain/model.ts";
import { parsePath } from "../domain/parse-model.ts";
import { toOriginRecord, toTransferFileRecord } from "../domain/record.ts";
import {
  TRANSFER_STATES,
  type NewTransfer,
  type Transfer,
  type TransferFile,
  type TransferState,
} from "../domain/transfer.ts";
import { invalidInput } from "../errors.ts";
import { isHeld, NO_LEASE } from "../schema/lease.ts";
import { toModel } from "../schema/model.ts";
import { toTransfer, type TransferTable } from "../schema/transfer.ts";
import { leaseHolds, momentOf, type Moment } from "./lease-holds.ts";
import { byId } from "./model-reader.ts";
import { modelOf, nameTaken } from "./models.ts";
import type { Scope } from "./scope.ts";
import { getTransferRow, guardedOf, writeTransferRow } from "./transfer-rows.ts";
import { unfinishedOfModel } from "./unfinished-of-model.ts";
import { visibilityOf } from "./visibility.ts";

const newestTransfer: Query<object, { greatest: number | null }> = query("transfer newest", ({ db }) =>
  db.selectFrom("transfer").select((eb) => eb.fn.max("transfer_id").as("greatest")),
);
const insertTransfer: Query<TransferTable, unknown> = query("transfer insert", ({ db, p }) =>
  db.insertInto("transfer").values(Object.fromEntries(COLUMNS.map((name) => [name, p(name)])) as never),
);
const forgetFinished: Query<{ before: number }, unknown> = query("transfers forget", ({ db, p }) =>
  db.deleteFrom("transfer").where("finished_at", "<=", p("before")),
);

const COLUMNS = [
  "transfer_id",
  "reference",
  "state",
  "model_id",
  "source_type",
  "repository",
  "branch",
  "commit_id",
  "folder",
  "files",
  "size_bytes",
  "done_bytes",
  "alias",
  "owner",
  "private",
  "actor",
  "origin",
  "error_code",
  "error_message",
  "created_at",
  "updated_at",
  "started_at",
  "finished_at",
  "claims",
  "node",
  "pid",
  "boot_id",
  "renewed_tick_ms",
  "expires_tick_ms",
] as const satisfies readonly (keyof TransferTable)[];

/** Which transfers, and how many of them. */
export interface TransferListOptions {
  state?: TransferState | readonly TransferState[] | undefined;
  /** The exact id of the model. */
  modelId?: string | undefined;
  /** 1 to 1,000; 50 when left out. */
  limit?: number | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | null | undefined;
}

const LIST_KEYS: ReadonlySet<string> = new Set(["state", "modelId", "limit", "cursor"]);
const NEW_KEYS: ReadonlySet<string> = new Set([
  "reference",
  "modelId",
  "sourceType",
  "repository",
  "branch",
  "commitId",
  "folder",
  "files",
  "alias",
  "private",
]);
const FILE_KEYS: ReadonlySet<string> = new Set([
  "path",
  "role",
  "url",
  "sizeBytes",
  "sha256",
  "gitSha1",
  "etag",
]);
const MAX_PAGE = 1000;
const MAX_FILES = 10_000;
const KEPT_MS = 30 * 24 * 3600 * 1000;

/**
 * Models that are being fetched, each a job that outlives the process that works on it, and those of the last 30
 * days. Who sees one is decided by the model that it makes. The work itself is `@cortex/model-sources`.
 */
export class Transfers {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /**
   * Asks for a model to be fetched. A model has one job, however many ask: one that is under way is joined, one
   * that is paused or failed goes on, from then on with what it is given here.
   *
   * @returns the job, and whether it is a new one.
   * @throws RegistryError `name_taken` where the id or the alias means another model, `permission_denied`,
   *   `invalid_input`.
   */
  async request(transfer: NewTransfer): Promise<{ transfer: Transfer; isNew: boolean }> {
    const wanted = parseNewTransfer(transfer);
    const { actor, origin, access } = this.#scope;
    const owner = access?.user ?? null;
    if (wanted.private && owner === null) {
      throw invalidInput("private", "A model without an owner cannot be private.");
    }
    return this.#scope.write(async (session) => {
      const now = this.#scope.now();
      const at = Date.now();
      await session.run(forgetFinished, { before: at - KEPT_MS });
      for (const name of [wanted.modelId, ...(wanted.alias === null ? [] : [wanted.alias])]) {
        const taken = await session.get(modelOf, { name });
        if (taken === undefined || taken.model_id === wanted.modelId) continue;
        const other = toModel((await session.get(byId, taken))!);
        throw nameTaken(name, access?.sees(other) === false ? undefined : other.modelId);
      }
      const before = await session.get(unfinishedOfModel, { model_id: wanted.modelId });
      if (before !== undefined) {
        const guarded = await guardedOf(session, before);
        if (access?.sees(guarded) === false) throw nameTaken(wanted.modelId, undefined);
        access?.check("run", guarded);
        if (isHeld(before, now) || !isWaiting(before.state)) {
          return { transfer: toTransfer(before, now), isNew: false };
        }
        const again = { ...before, ...planned(wanted, before), ...QUEUED };
        return { transfer: await writeTransferRow(session, again, now), isNew: false };
      }
      const stored = await session.get(byId, { model_id: wanted.modelId });
      if (stored === undefined) {
        access?.checkFetched({ modelId: wanted.modelId, tags: [], owner, private: wanted.private });
      } else {
        const model = toModel(stored);
        if (access?.sees(model) === false) throw nameTaken(wanted.modelId, undefined);
        // What is here is replaced: that is a change of it.
        access?.check(model.availability === "present" ? "change" : "run", model);
      }
      const row: TransferTable = {
        transfer_id: await session.nextNumber(newestTransfer),
        model_id: wanted.modelId,
        source_type: wanted.sourceType,
        ...planned(wanted, undefined),
        ...QUEUED,
        done_bytes: 0,
        owner,
        private: wanted.private ? 1 : 0,
        actor,
        origin: origin && JSON.stringify(toOriginRecord(origin)),
        created_at: at,
        updated_at: at,
        started_at: null,
        finished_at: null,
        claims: 0,
        node: null,
        pid: null,
        ...NO_LEASE,
      };
      await session.run(insertTransfer, row);
      return { transfer: toTransfer(row, now), isNew: true };
    });
  }

  /** @throws RegistryError `not_found`, `invalid_input`. */
  async get(transferId: number): Promise<Transfer> {
    const { reader, access } = this.#scope;
    const { row } = await getTransferRow(reader, parseTransferId(transferId), access);
    return toTransfer(row, this.#scope.now());
  }

  /**
   * A page of the transfers, the newest first.
   *
   * @throws RegistryError `invalid_input`.
   */
  async list(options: TransferListOptions = {}): Promise<Page<Transfer>> {
    checkKeys("transfer options", options, LIST_KEYS);
    const { state, modelId, limit = 50, cursor } = options;
    const count = parseInteger("limit", limit, 1, MAX_PAGE);
    const states = parseStates(state);
    const visibility = visibilityOf(this.#scope.access);
    const now = this.#scope.now();
    const values: Record<string, ParameterValue> & Moment = {
      ...visibility?.values,
      ...momentOf(now),
      limit: count + 1,
      before: cursor == null ? Number.MAX_SAFE_INTEGER : parseCursor(cursor),
    };
    states.forEach((word, index) => (values[`state_${index}`] = word));
    if (modelId !== undefined) values["model_id"] = parseName("model_id", modelId);
    const key = `transfers ${states.length} ${modelId === undefined ? "" : "of model"}${visibility?.key ?? ""}`;
    const page = query<typeof values, TransferTable>(key, (context) => {
      const { db, sql, p } = context;
      let transfers = db
        .selectFrom("transfer")
        .leftJoin("model", "model.model_id", "transfer.model_id")
        .selectAll("transfer")
        .where("transfer.transfer_id", "<", p("before") as never);
      if (modelId !== undefined) {
        transfers = transfers.where("transfer.model_id", "=", p("model_id") as never);
      }
      if (states.length > 0) {
        const shownState = sql`case when transfer.state = 'running' and not ${leaseHolds(context, "transfer")} then 'queued' else transfer.state end`;
        const wanted = sql.join(states.map((_, index) => p(`state_${index}`)));
        transfers = transfers.where(sql<boolean>`${shownState} in (${wanted})`);
      }
      if (visibility !== undefined) transfers = transfers.where(visibility.ofTransfer(context));
      return transfers.orderBy("transfer.transfer_id", "desc").limit(p("limit") as never);
    });
    const rows = await this.#scope.reader.all(page, values);
    const items = rows.slice(0, count).map((row) => toTransfer(row, now));
    return { items, nextCursor: rows.length > count ? String(items.at(-1)!.transferId) : null };
  }

  /**
   * Lets a transfer rest until it is resumed; whoever works on it sees that within a second. What is here stays.
   *
   * @throws RegistryError `not_found`, `permission_denied`, `invalid_input` where it has ended.
   */
  async pause(transferId: number): Promise<Transfer> {
    return this.#change(transferId, "paused", (row) =>
      isWaiting(row.state) ? row : { ...row, state: "paused" },
    );
  }

  /**
   * Lets a transfer that is paused or failed go on where it was.
   *
   * @throws RegistryError as {@link pause}.
   */
  async resume(transferId: number): Promise<Transfer> {
    return this.#change(transferId, "queued", (row) => (isWaiting(row.state) ? { ...row, ...QUEUED } : row));
  }

  /**
   * Gives a transfer up. What it has written is for whoever works on it to delete; where nobody
   * does, for whoever gives it up: see `transferWork.claimCancelled`.
   *
   * @throws RegistryError as {@link pause}.
   */
  async cancel(transferId: number): Promise<Transfer> {
    return this.#change(transferId, "cancelled", (row) =>
      row.state === "cancelled" ? row : { ...row, state: "cancelled", finished_at: Date.now() },
    );
  }

  async #change(
    transferId: number,
    to: TransferState,
    edit: (row: TransferTable) => TransferTable,
  ): Promise<Transfer> {
    const id = parseTransferId(transferId);
    const { access } = this.#scope;
    return this.#scope.write(
      async (session) => {
        const { row, guarded } = await getTransferRow(session, id, access);
        access?.check("run", guarded);
        const now = this.#scope.now();
        if (row.finished_at !== null && row.state !== to) {
          throw invalidInput(
            "transfer_id",
            `Transfer ${id} of ${shown(row.model_id)} is ${row.state} already.`,
          );
        }
        const changed = edit(row);
        if (changed === row) return toTransfer(row, now);
        return writeTransferRow(session, changed, now);
      },
      { makesRoom: true },
    );
  }
}

const QUEUED = { state: "queued", error_code: null, error_message: null } as const;

function isWaiting(state: TransferState): boolean {
  return state === "paused" || state === "failed";
}

/** The columns that say what is to be fetched; of a file that stays the same, how far it is stays too. */
function planned(
  wanted: ParsedTransfer,
  before: TransferTable | undefined,
): Pick<
  TransferTable,
  "reference" | "repository" | "branch" | "commit_id" | "folder" | "files" | "size_bytes" | "alias"
> {
  const known = new Map(
    (JSON.parse(before?.files ?? "[]") as JsonObject[]).map((file) => [file["path"], file]),
  );
  const files = wanted.files.map(toTransferFileRecord).map((file) => {
    const old = before?.folder === wanted.folder ? known.get(file["path"]) : undefined;
    return old === undefined ? file : { ...file, is_ours: old["is_ours"]!, done_bytes: old["done_bytes"]! };
  });
  const sizes = wanted.files.map(({ sizeBytes }) => sizeBytes);
  return {
    reference: wanted.reference,
    repository: wanted.repository,
    branch: wanted.branch,
    commit_id: wanted.commitId,
    folder: wanted.folder,
    files: JSON.stringify(files),
    size_bytes: sizes.includes(null) ? null : sizes.reduce((sum: number, size) => sum + size!, 0),
    alias: wanted.alias,
  };
}

type ParsedTransfer = { [Key in keyof Required<NewTransfer>]-?: Exclude<NewTransfer[Key], undefined> } & {
  files: readonly TransferFile[];
};

function parseNewTransfer(input: NewTransfer): ParsedTransfer {
  checkKeys("a transfer", input, NEW_KEYS);
  const { files } = input;
  if (!Array.isArray(files) || files.length === 0 || files.length > MAX_FILES) {
    throw invalidInput("files", `A transfer has 1 to ${MAX_FILES.toLocaleString("en")} files.`);
  }
  return {
    reference: required("reference", input.reference),
    modelId: parseName("model_id", input.modelId),
    sourceType: parseWord("source_type", input.sourceType, SOURCE_TYPES),
    repository: parseText("repository", input.repository ?? null),
    branch: parseText("branch", input.branch ?? null),
    commitId: parseText("commit_id", input.commitId ?? null),
    folder: required("folder", input.folder),
    files: (files as NewTransfer["files"]).map(parseTransferFile),
    alias: input.alias == null ? null : parseName("alias", input.alias),
    private: input.private === undefined ? false : parseBoolean("private", input.private),
  };
}

function parseTransferFile(input: NewTransfer["files"][number]): TransferFile {
  checkKeys("a file", input, FILE_KEYS);
  return {
    path: parsePath(input.path),
    role: parseWord("role", input.role, FILE_ROLES),
    url: required("url", input.url),
    sizeBytes: input.sizeBytes == null ? null : parseInteger("size_bytes", input.sizeBytes),
    sha256: parseDigest("sha256", input.sha256, 64),
    gitSha1: parseDigest("git_sha1", input.gitSha1, 40),
    etag: parseText("etag", input.etag ?? null),
    doneBytes: 0,
    isOurs: false,
  };
}

function parseDigest(field: string, value: string | null | undefined, digits: number): string | null {
  if (value == null) return null;
  if (typeof value === "string" && value.length === digits && /^[0-9a-f]+$/.test(value)) return value;
  throw invalidInput(field, `${field} must be ${digits} lower-case hexadecimal digits, not ${shown(value)}.`);
}

function required(field: string, value: unknown): string {
  const text = parseText(field, value ?? null);
  if (text === null) throw invalidInput(field, `${field} must not be empty.`);
  return text;
}

/** @throws RegistryError `invalid_input`. */
export function parseTransferId(value: unknown): number {
  return parseInteger("transfer_id", value, 1);
}

function parseStates(state: TransferListOptions["state"]): TransferState[] {
  if (state === undefined) return [];
  const words = typeof state === "string" ? [state] : state;
  return parseList("state", words, (word) => parseWord("state", word, TRANSFER_STATES)) as TransferState[];
}

function parseCursor(cursor: unknown): number {
  if (typeof cursor === "string" && /^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw invalidInput("cursor", "The cursor is none of this list. Use next_cursor of the page before.");
}
