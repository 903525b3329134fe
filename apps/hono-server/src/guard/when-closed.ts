import type { ServerResponse } from "node:http";

/** Calls back when the last byte of an answer is out or its client is gone, also where that is so already. */
export function whenClosed(outgoing: ServerResponse, callback: () => void): void {
  if (outgoing.closed) callback();
  // It comes once, and `once` would wrap the callback.
  else outgoing.on("close", callback);
}
