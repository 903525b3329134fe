import { BlockList, isIPv4, isIPv6 } from "node:net";

import { HttpError } from "../errors.ts";

const GRAMMAR = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i;
const MAX_KNOWN = 64;

/** This machine's own address in each way to write it. */
const LOOPBACK_V6 = new BlockList();
LOOPBACK_V6.addAddress("::1", "ipv6");
LOOPBACK_V6.addSubnet("127.0.0.0", 8, "ipv4");

/** Whether an address is one that only this machine itself can be reached at, also as `::ffff:127.0.0.1`. */
export function isLoopback(address: string): boolean {
  if (isIPv4(address)) return address.startsWith("127.");
  return isIPv6(address) && LOOPBACK_V6.check(address, "ipv6");
}

// Nearly always the same.
let lastHeader = "";
let lastName: string | undefined;

/** The name or address in a `Host` header, in small letters; `undefined` where it is none. */
export function hostNameOf(header: string): string | undefined {
  if (header === lastHeader) return lastName;
  const match = GRAMMAR.exec(header);
  lastName = (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, "");
  lastHeader = header;
  return lastName;
}

/**
 * Answers only to names that are this service's. A page on the web can have its own name point at this
 * machine (DNS rebinding) and would otherwise be taken for a page of ours; its name stands in `Host`.
 */
export class HostCheck {
  readonly #allowed: ReadonlySet<string>;
  // Headers that were found right, as they were sent.
  readonly #known = new Set<string>();

  /** @param allowed names beside `localhost` and the address at which a connection comes in. */
  constructor(allowed: readonly string[] = []) {
    this.#allowed = new Set(allowed.map((name) => hostNameOf(name) ?? name.toLowerCase()));
  }

  /** @throws HttpError `forbidden_host`. */
  check(header: string, localAddress: string | undefined): void {
    if (this.#known.has(header)) return;
    const name = hostNameOf(header);
    if (name !== undefined && this.#names(name)) {
      if (this.#known.size < MAX_KNOWN) this.#known.add(header);
      return;
    }
    // An address cannot be pointed elsewhere: who names the one that answers means this service.
    if (name !== undefined && localAddress !== undefined && name === localAddress.replace(/^::ffff:/, ""))
      return;
    throw forbiddenHost();
  }

  #names(name: string): boolean {
    return name === "localhost" || name.endsWith(".localhost") || isLoopback(name) || this.#allowed.has(name);
  }
}

/** What a request is told that names another host, or none. */
export function forbiddenHost(): HttpError {
  return new HttpError(
    "forbidden_host",
    "The Host header does not name this service. Ask for it by localhost, by its address, or by a name that its operator allows.",
  );
}
