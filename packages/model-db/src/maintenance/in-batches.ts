import { setImmediate } from "node:timers/promises";

const BATCH = 500;

/** Passes on together what comes without waiting: 1 to 500 at a time. */
export async function* inBatches<T>(items: AsyncGenerator<T>): AsyncGenerator<T[], undefined> {
  const step = (): Promise<IteratorResult<T>> => {
    const next = items.next();
    // Whoever asked may be gone when it fails.
    next.catch(() => undefined);
    return next;
  };
  for (let next = step(); ;) {
    const first = await next;
    if (first.done === true) return;
    const batch = [first.value];
    next = step();
    while (batch.length < BATCH) {
      const more = await Promise.race([next, setImmediate(undefined)]);
      if (more === undefined || more.done === true) break;
      batch.push(more.value);
      next = step();
    }
    yield batch;
  }
}
