import type { Engine } from "./database/engine.ts";
import type { Access } from "./domain/access.ts";
import type { ModelEvent } from "./domain/event.ts";
import { checkKeys, parseInteger } from "./domain/input.ts";
import { invalidInput } from "./errors.ts";
import {
  parseEventFilter,
  readEvents,
  type CheckedFilter,
  type EventFilter,
  type History,
} from "./repositories/history.ts";

export interface WatchOptions extends Pick<EventFilter, "modelId" | "actor" | "kind"> {
  /** The id of the last event that was seen; from now on when left out. 0: from the beginning. */
  after?: number | undefined;
  /** Ends the iteration. */
  signal?: AbortSignal | undefined;
}

const WATCH_KEYS: ReadonlySet<string> = new Set(["modelId", "actor", "kind", "after", "signal"]);
const POLL_MS = 50;
const BATCH = 500;

/**
 * Follows the history: every event once, in the order of the ids, those of other processes at most
 * 250 ms after their commit. Where it starts is decided at the call, not at the first step.
 *
 * @param closing ends every iteration.
 * @param access whose events: those that are seen when they are read.
 * @throws RegistryError `invalid_input`.
 */
export function watch(
  engine: Engine,
  history: History,
  options: WatchOptions,
  closing: AbortSignal,
  access: Access | undefined,
): AsyncGenerator<ModelEvent, undefined> {
  checkKeys("watch options", options, WATCH_KEYS);
  const { signal, modelId, actor, kind } = options;
  const filter = parseEventFilter({ modelId, actor, kind });
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidInput("signal", "signal must be an AbortSignal.");
  }
  const start = options.after === undefined ? history.latestEventId() : parseInteger("after", options.after);
  const ended = signal === undefined ? closing : AbortSignal.any([signal, closing]);
  const from = Promise.resolve(start);
  // Without a first step nobody would ever look at a failure.
  from.catch(() => undefined);
  return follow(engine, history, { filter, access }, from, ended);
}

async function* follow(
  engine: Engine,
  history: History,
  { filter, access }: { filter: CheckedFilter; access: Access | undefined },
  start: Promise<number>,
  ended: AbortSignal,
): AsyncGenerator<ModelEvent, undefined> {
  let after = await start;
  while (!ended.aborted) {
    // Taken before the read: what is committed in between is read now or changes it again.
    const counter = engine.changeCounter();
    const newest = await history.latestEventId();
    const page = { descending: false, beyond: after, limit: BATCH };
    const events = await readEvents(engine.reader, filter, page, access);
    for (const event of events) {
      after = event.eventId;
      yield event;
      if (ended.aborted) return;
    }
    if (events.length === BATCH) continue;
    if (events.length === 0) after = Math.max(after, newest);
    while (!(await slept(ended)) && engine.changeCounter() === counter);
  }
}

// True when the wait was cut short because nobody listens any more.
async function slept(signal: AbortSignal): Promise<boolean> {
  const { setTimeout: sleep } = process.getBuiltinModule("node:timers/promises");
  try {
    await sleep(POLL_MS, undefined, { signal });
    return false;
  } catch {
    return true;
  }
}
