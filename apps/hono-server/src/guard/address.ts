import { BlockList, isIP } from "node:net";

import type { Asked } from "./asked.ts";

/** Proxies stand on the same machine or in the same private network, unless it is said where. */
const PRIVATE = [
  "127.0.0.0/8",
  "::1/128",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "fc00::/7",
  "fe80::/10",
];

/**
 * Finds the address of clients: that of the connection or, where it comes from a proxy that is trusted,
 * the last in `X-Forwarded-For` that is not such a proxy's. What is before it, the client may have made up.
 */
export class ClientAddress {
  readonly #trusted: BlockList | undefined;

  /** @param trustProxy addresses and subnets of proxies; `private` is all those of private networks. */
  constructor(trustProxy: readonly string[] = []) {
    if (trustProxy.length === 0) return;
    this.#trusted = new BlockList();
    for (const each of trustProxy.flatMap((one) => (one === "private" ? PRIVATE : [one]))) {
      const [address = "", bits] = each.split("/");
      const family = isIP(address) === 6 ? "ipv6" : "ipv4";
      if (bits === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(bits), family);
    }
  }

  /** @returns the address, or `local` for a unix socket's other end. */
  find(peer: string | undefined, forwardedFor: string | undefined): string {
    let address = plain(peer ?? "local");
    if (this.#trusted === undefined || forwardedFor === undefined) return address;
    for (const hop of forwardedFor.split(",").toReversed()) {
      if (address !== "local" && !this.#isTrusted(address)) return address;
      const before = plain(hop.trim());
      if (isIP(before) === 0) return address;
      address = before;
    }
    return address;
  }

  #isTrusted(address: string): boolean {
    return this.#trusted!.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  }
}

/** Headers that proxies put into what they pass on; a client that puts one there itself gains nothing. */
const FROM_PROXIES = ["x-forwarded-for", "forwarded", "x-real-ip", "via"];

/** Whether a proxy passed a request on: then it may come from anywhere, whatever its connection's address. */
export function isForwarded(asked: Pick<Asked, "header">): boolean {
  return FROM_PROXIES.some((name) => asked.header(name) !== undefined);
}

/**
 * What a client is counted by: its address or, of IPv6, the first 64 bits of it. Whoever has one address of
 * such a network has all of them (RFC 6177).
 */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail = ""] = address.split("::");
  const [first, last] = [head, tail].map((part) => (part === "" ? [] : part.split(":")));
  const zeros = Array.from({ length: Math.max(0, 8 - first!.length - last!.length) }, () => "0");
  return `${[...first!, ...zeros, ...last!].slice(0, 4).join(":")}::/64`;
}

/** IPv4 as such, also where a socket for both says it as IPv6. */
function plain(address: string): string {
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}
