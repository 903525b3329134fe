/**
 * Lets everything else that waits in this process have its turn. `node:timers/promises` has the same, and is one
 * more thing to load before a list can be printed.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
