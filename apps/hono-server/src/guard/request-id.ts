import { randomBytes } from "node:crypto";

// One prefix for the process and a counter behind it: unique, and cheaper than a random id for each request.
const PREFIX = randomBytes(6).toString("hex");
let count = 0;

const FIT = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

/**
 * What names a request: what its `X-Request-Id` says where that is 1 to 64 safe characters, so that it is
 * the same in a proxy's log; else a new name.
 */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && FIT.test(given) ? given : newRequestId();
}

/** A name for a request that no other request has. */
export function newRequestId(): string {
  count += 1;
  return `${PREFIX}-${count.toString(36)}`;
}
