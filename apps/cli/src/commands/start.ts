import { toRunRecord } from "@cortex/model-db";

import { userName } from "../actor.ts";
import { MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { openForWriting } from "../open.ts";
import { painter } from "../output/color.ts";
import { toFields } from "../output/fields.ts";
import { toDocument } from "../output/json.ts";
import { runFields } from "../output/run-fields.ts";
import { writeOut } from "../output/stream.ts";
import { quote } from "../values.ts";

/** What `cortex start` takes. */
export interface StartOptions extends Everywhere {
  readonly model: string;
  readonly holder?: string;
  /** A URL; a renewal without it keeps the one there is. */
  readonly endpoint?: string;
  readonly pid?: number;
  readonly node?: string;
  /** Milliseconds. */
  readonly ttl?: number;
  readonly join?: boolean;
}

// Nobody at a terminal renews a lease every 30 seconds, and nobody should see a dead program run for hours.
const TTL_MS = 15 * 60 * 1000;

/** Records that a program runs a model, or renews that record; prints the lease. With `-q`, its token. */
export async function start(options: StartOptions): Promise<void> {
  const { model, holder = userName(), endpoint, pid, node, ttl: ttlMs = TTL_MS, join } = options;
  if (endpoint !== undefined) checkUrl(endpoint);
  await using registry = await openForWriting(options);
  const run = await registry.runs.acquire(model, {
    holder,
    ttlMs,
    ...(endpoint === undefined ? {} : { endpoint }),
    // Whoever starts it again from a shell renews it, and is another process.
    pid: pid ?? null,
    ...(node === undefined ? {} : { node }),
    ...(join === undefined ? {} : { join }),
  });
  if (options.quiet === true) writeOut(`${run.token}\n`);
  else if (options.json === true) writeOut(toDocument(toRunRecord(run)));
  else writeOut(toFields(runFields(run), painter(1, options.color)));
}

function checkUrl(text: string): void {
  // Without the slashes, `localhost:8080` is a URL of the scheme `localhost`.
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) && URL.canParse(text)) return;
  throw new MisuseError(`--endpoint needs a URL such as http://127.0.0.1:8080, not ${quote(text)}.`);
}
