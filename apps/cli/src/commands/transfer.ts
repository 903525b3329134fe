import {
  formatSize,
  RegistryError,
  toTransferRecord,
  toVisible,
  TRANSFER_STATES,
  type Registry,
  type Transfer,
} from "@cortex/model-db";

import { MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { oneOf } from "../one-of.ts";
import { openForReading, openForWriting } from "../open.ts";
import { toDocument } from "../output/json.ts";
import { writeNote, writeOut } from "../output/stream.ts";
import type { Column } from "../output/table.ts";
import { formatRelative } from "../output/time.ts";
import { printWholeList } from "../output/whole-list.ts";

/** What `cortex transfer` can do. */
const TRANSFER_ACTIONS = ["list", "pause", "resume", "cancel"] as const;

/** What `cortex transfer` takes. */
export interface TransferOptions extends Everywhere {
  readonly action?: string;
  /** Its number, or the id of the model that it fetches. */
  readonly transfer?: string;
  readonly state?: readonly string[];
}

const UNFINISHED = ["queued", "running", "paused", "failed"] as const;
const MAX_SHOWN = 1000;

/** Lists what is being fetched; lets it rest, go on, or gives it up. */
export async function transfer(options: TransferOptions): Promise<void> {
  const action = oneOf("transfer", options.action ?? "list", TRANSFER_ACTIONS);
  if (action === "list") return list(options);
  await using registry = await openForWriting(options);
  const { transferId } = await find(registry, options.transfer, action);
  const changed = await CHANGES[action](registry, transferId);
  if (options.quiet === true) writeOut(`${changed.transferId}\n`);
  else if (options.json === true) writeOut(toDocument(toTransferRecord(changed)));
  else writeNote(toVisible(describe(changed)));
}

const CHANGES = {
  pause: (registry: Registry, id: number) => registry.transfers.pause(id),
  resume: (registry: Registry, id: number) => registry.transfers.resume(id),
  cancel: async (registry: Registry, id: number) =>
    (await import("@cortex/model-sources")).cancelTransfer(registry, id),
} as const;

async function find(registry: Registry, named: string | undefined, action: string): Promise<Transfer> {
  if (named === undefined)
    throw new MisuseError(`<transfer> is missing: cortex transfer ${action} <transfer>.`);
  if (/^\d{1,15}$/.test(named)) return registry.transfers.get(Number(named));
  const { items } = await registry.transfers.list({ modelId: named, limit: 1 });
  if (items[0] !== undefined) return items[0];
  throw new RegistryError("not_found", `No transfer of ${named}: \`cortex transfer\` lists all.`);
}

function describe({ transferId, modelId, state, reference }: Transfer): string {
  const what = `Transfer ${transferId} of ${modelId}`;
  if (state === "cancelled") return `${what} is cancelled, and what it had written is deleted`;
  if (state === "queued") {
    return `${what} is queued: a running cortex-server fetches it, or \`cortex pull ${reference}\` does`;
  }
  return `${what} is ${state}`;
}

async function list(options: TransferOptions): Promise<void> {
  const state = options.state?.map((word) => oneOf("--state", word, TRANSFER_STATES)) ?? UNFINISHED;
  const registry = await openForReading(options);
  const page = await registry?.transfers.list({ state, limit: MAX_SHOWN });
  await registry?.close();
  const shown = {
    toId: ({ transferId }: Transfer) => String(transferId),
    toRecord: toTransferRecord,
    columns: COLUMNS,
    toCells,
    nothing: "Nothing is being fetched: `cortex pull <reference>` does that.",
  };
  printWholeList(page?.items, shown, options);
}

const COLUMNS: readonly Column[] = [
  { title: "TRANSFER", align: "right" },
  { title: "MODEL", least: 16, keep: "both" },
  { title: "STATE", style: (text) => (text === "failed" ? "red" : text === "done" ? "green" : undefined) },
  { title: "DONE", align: "right" },
  { title: "SIZE", align: "right", sacrifice: 2 },
  { title: "ASKED FOR", sacrifice: 3, style: () => "dim" },
  { title: "WHY", least: 12, sacrifice: 4 },
];

function toCells(item: Transfer): string[] {
  const { transferId, modelId, state, doneBytes, sizeBytes, createdAt, errorMessage } = item;
  return [
    String(transferId),
    modelId,
    state,
    sizeBytes === null || sizeBytes === 0
      ? formatSize(doneBytes)
      : `${Math.floor((100 * doneBytes) / sizeBytes)}%`,
    sizeBytes === null ? "" : formatSize(sizeBytes),
    formatRelative(createdAt),
    errorMessage ?? "",
  ].map(toVisible);
}
