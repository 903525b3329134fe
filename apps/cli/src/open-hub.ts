import { Hub, hubOptions } from "@cortex/model-sources";

import type { Everywhere } from "./everywhere.ts";
import { writeNote } from "./output/stream.ts";

const SILENCE_MS = 10_000;

/** The hub that the environment names; whoever sits in front of it learns what is waited for. */
export async function openHub({ json, quiet }: Everywhere): Promise<Hub> {
  const isTold = json !== true && quiet !== true;
  return new Hub({
    ...(await hubOptions(process.env)),
    onSilence: isTold ? { afterMs: SILENCE_MS, tell: tellOfSilence } : undefined,
  });
}

function tellOfSilence(host: string): void {
  writeNote(
    `Still waiting for ${host}; Ctrl-C ends that. Is the network there, and are the proxy settings right?`,
  );
}
