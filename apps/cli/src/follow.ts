import {
  formatSize,
  RegistryError,
  toVisible,
  type ErrorCode,
  type JsonObject,
  type Registry,
  type Transfer,
} from "@cortex/model-db";
import { followTransfer, type TransferProgress, type WorkOptions } from "@cortex/model-sources";

import { Interrupted } from "./errors.ts";
import type { Everywhere } from "./everywhere.ts";
import { toLine } from "./output/json.ts";
import { isTerminal, writeNote, writeOut } from "./output/stream.ts";
import { TransferBars } from "./output/transfer-bars.ts";

const LINE_MS = 1000;

/**
 * Stays with a transfer until it is done, and shows how far it is.
 * @throws RegistryError why it is not done; Interrupted, after it was paused
 */
export async function follow(
  registry: Registry,
  { transferId }: Transfer,
  work: Omit<WorkOptions, "onProgress">,
  options: Everywhere,
): Promise<Transfer> {
  const show = shownBy(options);
  let last: Transfer;
  try {
    const onProgress = (progress: TransferProgress): void => show.update(progress);
    last = await followTransfer(registry, transferId, { ...work, onProgress });
  } finally {
    show.end();
  }
  if (work.signal?.aborted === true && last.state !== "done") await pause(registry, last);
  if (last.state !== "done") throw whyNot(last);
  return last;
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

/** How progress is shown: as lines of JSON, as bars on a terminal, else not at all. */
function shownBy({ json, quiet }: Everywhere): {
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
