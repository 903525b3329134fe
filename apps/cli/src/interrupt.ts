/** A signal that is aborted when the process is asked to end: Ctrl-C, or SIGTERM. */
export function untilInterrupted(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  return controller.signal;
}
