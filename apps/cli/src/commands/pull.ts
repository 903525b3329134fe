import {
  RegistryError,
  toRecord,
  toTransferRecord,
  toVisible,
  type ErrorCode,
  type JsonObject,
  type Model,
  type Registry,
  type Transfer,
} from "@cortex/model-db";
import {
  followTransfer,
  Hub,
  hubOptions,
  modelFolders,
  RateLimit,
  requestPull,
  type TransferProgress,
} from "@cortex/model-sources";

import { askWhich } from "../ask-which.ts";
import { Interrupted, MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { untilInterrupted } from "../interrupt.ts";
import { openOrCreate } from "../open.ts";
import { toLine } from "../output/json.ts";
import { formatSize } from "../output/size.ts";
import { isTerminal, writeNote, writeOut } from "../output/stream.ts";
import { TransferBars } from "../output/transfer-bars.ts";

/** What `cortex pull` takes. */
export interface PullOptions extends Everywhere {
  readonly reference: string;
  readonly alias?: string;
  /** Bytes per second. */
  readonly limitRate?: number | null;
  readonly connections?: number;
  /** Only ask for it. */
  readonly detach?: boolean;
  /** Take what would be taken unasked. */
  readonly yes?: boolean;
}

const MAX_CONNECTIONS = 32;
const LINE_MS = 1000;

/** Fetches a model and registers it; goes on with what an earlier pull of it has left. */
export async function pull(options: PullOptions): Promise<void> {
  const { connections, limitRate } = options;
  if (connections !== undefined && (connections < 1 || connections > MAX_CONNECTIONS)) {
    throw new MisuseError(`--connections needs a whole number, 1 to ${MAX_CONNECTIONS}.`);
  }
  if (limitRate === 0) throw new MisuseError("--limit-rate needs more than 0 bytes per second.");
  const signal = untilInterrupted();
  await using hub = new Hub(await hubOptions(process.env));
  await using registry = await openOrCreate(options);
  const asked = await ask(registry, hub, options, signal);
  if ("model" in asked) return tellModel(asked.model, "is here already", options);
  const { transfer } = asked;
  if (options.json === true) writeOut(toLine({ transfer: toTransferRecord(transfer) }));
  if (options.detach === true) return tellDetached(transfer, options);
  const show = shownBy(options);
  let last: Transfer;
  try {
    last = await followTransfer(registry, transfer.transferId, {
      hub,
      connections,
      rateLimit: limitRate == null ? undefined : new RateLimit(limitRate),
      signal,
      onProgress: (progress) => show.update(progress),
    });
  } finally {
    show.end();
  }
  if (signal.aborted && last.state !== "done") await pause(registry, last);
  if (last.state !== "done") throw whyNot(last);
  tellModel(await registry.models.get(last.modelId), "is here", options);
}

async function ask(
  registry: Registry,
  hub: Hub,
  { reference, alias, yes }: PullOptions,
  signal: AbortSignal,
): ReturnType<typeof requestPull> {
  const canAsk = yes !== true && isTerminal(0) && isTerminal(2);
  try {
    return await requestPull(registry, reference, {
      hub,
      folders: await modelFolders(process.env, registry.location),
      alias,
      signal,
      ...(canAsk ? { ask: askWhich } : {}),
    });
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    throw error;
  }
}

/** What Ctrl-C means: our own work rests, and that of another process goes on. @throws Interrupted */
async function pause(registry: Registry, { transferId, state, reference }: Transfer): Promise<never> {
  if (state === "running") {
    writeNote(`Another process goes on with transfer ${transferId}.`);
    throw new Interrupted();
  }
  const { doneBytes } = await registry.transfers.pause(transferId);
  writeNote(
    toVisible(
      `Paused; ${formatSize(doneBytes)} are kept. \`cortex pull ${reference}\` goes on, \`cortex transfer cancel ${transferId}\` deletes them.`,
    ),
  );
  throw new Interrupted();
}

function whyNot({ transferId, state, reference, errorCode, errorMessage }: Transfer): RegistryError {
  if (state === "failed") {
    const goesOn = `\`cortex pull ${reference}\` goes on where it was.`;
    return new RegistryError((errorCode ?? "io_error") as ErrorCode, `${errorMessage} ${goesOn}`);
  }
  return new RegistryError(
    "lease_lost",
    `Somebody has ${state} transfer ${transferId}. \`cortex pull ${reference}\` goes on.`,
  );
}

function tellModel(model: Model, what: string, options: PullOptions): void {
  if (options.json === true) writeOut(toLine({ model: toRecord(model) }));
  else if (options.quiet === true) writeOut(`${toVisible(model.modelId)}\n`);
  else {
    const names = model.alias === null ? model.modelId : `${model.modelId} (${model.alias})`;
    writeNote(toVisible(`${names} ${what}`));
  }
}

function tellDetached({ transferId, modelId }: Transfer, { json, quiet }: PullOptions): void {
  if (json === true) return;
  if (quiet === true) writeOut(`${transferId}\n`);
  else
    writeNote(
      toVisible(`Transfer ${transferId} of ${modelId} is queued: a running cortex-server fetches it`),
    );
}

/** How progress is shown: as lines of JSON, as bars on a terminal, else not at all. */
function shownBy({ json, quiet }: PullOptions): {
  update(progress: TransferProgress): void;
  end(): void;
} {
  if (json === true) {
    let toldAt = 0;
    return {
      update(progress): void {
        if (performance.now() - toldAt < LINE_MS) return;
        toldAt = performance.now();
        writeOut(toLine({ progress: toProgressRecord(progress) }));
      },
      end() {},
    };
  }
  if (quiet === true || !isTerminal(2)) return { update() {}, end() {} };
  const bars = new TransferBars();
  return { update: (progress) => bars.draw(progress), end: () => bars.end() };
}

function toProgressRecord({
  transfer,
  doneBytes,
  totalBytes,
  bytesPerSecond,
  remainingMs,
}: TransferProgress): JsonObject {
  return {
    transfer_id: transfer.transferId,
    done_bytes: doneBytes,
    size_bytes: totalBytes,
    bytes_per_second: bytesPerSecond === null ? null : Math.round(bytesPerSecond),
    remaining_ms: remainingMs === null ? null : Math.round(remainingMs),
  };
}
