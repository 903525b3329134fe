import {
  toRecord,
  toTransferRecord,
  toVisible,
  type Model,
  type Registry,
  type Transfer,
} from "@cortex/model-db";
import { modelFolders, RateLimit, requestPull, type Hub } from "@cortex/model-sources";

import { askWhich } from "../ask-which.ts";
import { Interrupted, MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { follow } from "../follow.ts";
import { untilInterrupted } from "../interrupt.ts";
import { openHub } from "../open-hub.ts";
import { openOrCreate } from "../open.ts";
import { toLine } from "../output/json.ts";
import { isTerminal, writeNote, writeOut } from "../output/stream.ts";

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

/** Fetches a model and registers it; goes on with what an earlier pull of it has left. */
export async function pull(options: PullOptions): Promise<void> {
  const { connections, limitRate } = options;
  if (connections !== undefined && (connections < 1 || connections > MAX_CONNECTIONS)) {
    throw new MisuseError(`--connections needs a whole number, 1 to ${MAX_CONNECTIONS}.`);
  }
  if (limitRate === 0) throw new MisuseError("--limit-rate needs more than 0 bytes per second.");
  const signal = untilInterrupted();
  await using hub = await openHub(options);
  await using registry = await openOrCreate(options);
  const asked = await ask(registry, hub, options, signal);
  if ("model" in asked) {
    const { alias } = options;
    const model =
      alias === undefined
        ? asked.model
        : await registry.models.changeAliases(asked.model.modelId, { add: [alias] });
    return tellModel(model, "is here already", options);
  }
  const { transfer } = asked;
  if (options.json === true) writeOut(toLine({ transfer: toTransferRecord(transfer) }));
  if (options.detach === true) return tellDetached(transfer, options);
  const rateLimit = limitRate == null ? undefined : new RateLimit(limitRate);
  const { modelId } = await follow(registry, transfer, { hub, connections, rateLimit, signal }, options);
  tellModel(await registry.models.get(modelId), "is here", options);
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
