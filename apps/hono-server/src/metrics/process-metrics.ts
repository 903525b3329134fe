import { collectDefaultMetrics, Registry } from "prom-client";

let registry: Registry | undefined;

/** What Node says of the process: memory, processor time, garbage collection, the event loop. */
export function processMetrics(): Registry {
  if (registry === undefined) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry;
}
