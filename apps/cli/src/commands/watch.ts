import { toEventRecord, toVisible, type ModelEvent } from "@cortex/model-db";

import { Interrupted } from "../errors.ts";
import { toKinds, toModelId } from "../event-filter.ts";
import type { Everywhere } from "../everywhere.ts";
import { untilInterrupted } from "../interrupt.ts";
import { openExisting } from "../open.ts";
import { painter, type Paint } from "../output/color.ts";
import { describeChanges } from "../output/event-changes.ts";
import { toLine } from "../output/json.ts";
import { writeOut } from "../output/stream.ts";
import { formatExact } from "../output/time.ts";

/** What `cortex watch` takes. */
export interface WatchOptions extends Everywhere {
  readonly model?: string;
  /** The id of the last event that was seen already. */
  readonly after?: number;
  readonly kind?: readonly string[];
}

/** Prints each change as it happens, until interrupted. */
export async function watch(options: WatchOptions): Promise<void> {
  const kind = toKinds(options.kind);
  const signal = untilInterrupted();
  const registry = await openExisting(options);
  const { model, after } = options;
  const modelId = model === undefined ? undefined : await toModelId(registry, model);
  const paint = painter(1, options.color);
  const events = registry.watch({
    signal,
    ...(modelId === undefined ? {} : { modelId }),
    ...(after === undefined ? {} : { after }),
    ...(kind === undefined ? {} : { kind }),
  });
  for await (const event of events) writeOut(toText(event, options, paint));
  await registry.close();
  throw new Interrupted();
}

function toText(event: ModelEvent, options: WatchOptions, paint: Paint): string {
  if (options.quiet === true) return `${event.eventId}\n`;
  if (options.json === true) return toLine(toEventRecord(event));
  const { at, modelId, kind, actor } = event;
  const changes = describeChanges(event);
  const what = `${paint("bold", toVisible(kind))} ${toVisible(modelId)}${changes === "" ? "" : `: ${changes}`}`;
  return `${paint("dim", formatExact(at))} ${what} ${paint("dim", `by ${toVisible(actor)}`)}\n`;
}
