import { lookup as systemLookup, type LookupAddress, type LookupOptions } from "node:dns";
import { BlockList, isIP, type TcpNetConnectOpts } from "node:net";

import { RegistryError } from "@cortex/model-db";
import { buildConnector } from "undici";

// RFC 6890 and its successors, as in the IANA registries of special-purpose addresses.
const NOT_PUBLIC: readonly (readonly [address: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["100:0:0:1::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["3fff::", 20],
  ["5f00::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
];

const blocked = new BlockList();
for (const [address, prefix] of NOT_PUBLIC) {
  blocked.addSubnet(address, prefix, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** Whether an address is one that anybody on the internet can reach, and no machine or network of our own. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !blocked.check(address, "ipv4");
  if (family !== 6) return false;
  const embedded = embeddedIpv4(address);
  return !blocked.check(address, "ipv6") && (embedded === undefined || isPublicAddress(embedded));
}

/** Connects where an address is public, or its host allowed: judged as it is connected to, so that a name
 * cannot mean another address a moment later. */
export function guardedConnector(
  privateHosts: ReadonlySet<string>,
  options: Pick<TcpNetConnectOpts, "onread"> = {},
): buildConnector.connector {
  // The port is that of each connection.
  const common = options as buildConnector.BuildOptions;
  const free = buildConnector(common);
  const guarded = buildConnector({ ...common, lookup: publicLookup });
  return (target, callback) => {
    const host = bareHost(target.hostname);
    if (privateHosts.has(host)) return free(target, callback);
    // What is an address already is not looked up.
    if (isIP(host) !== 0 && !isPublicAddress(host)) return callback(refused(host), null);
    return guarded(target, callback);
  };
}

/**
 * Refuses a URL whose host is an address that is not public. Names are judged when they are connected to;
 * this also holds where a proxy makes the connection.
 *
 * @throws RegistryError `permission_denied`.
 */
export function checkHost(url: URL, privateHosts: ReadonlySet<string>): void {
  const host = bareHost(url.hostname);
  if (privateHosts.has(host)) return;
  const isLocalName = host === "localhost" || host.endsWith(".localhost");
  if (isLocalName || (isIP(host) !== 0 && !isPublicAddress(host))) throw refused(host);
}

/** A host as it is compared: without the brackets of an IPv6 address and the dot that ends a full name. */
export function bareHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void;

function publicLookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  systemLookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, "");
    // One that is not public is enough: which of them is taken is not ours to say.
    const hidden = addresses.find(({ address }) => !isPublicAddress(address));
    if (hidden !== undefined) return callback(refused(hostname, hidden.address), "");
    const [first] = addresses;
    if (options.all === true) return callback(null, addresses);
    return callback(null, first?.address ?? "", first?.family);
  });
}

function refused(host: string, address?: string): RegistryError {
  const which = address === undefined ? host : `${host} (${address})`;
  return new RegistryError(
    "permission_denied",
    `Nothing is fetched from ${which}: it is an address of this machine or of a private network. To allow that host, start cortex-server with --private-host ${host}; in a terminal, HF_ENDPOINT may name it.`,
  );
}

/** The IPv4 address that some IPv6 addresses carry: mapped, translated (NAT64) and 6to4. */
function embeddedIpv4(address: string): string | undefined {
  const groups = groupsOf(address);
  const [high, low] = [6, 7].map((at) => groups[at] ?? 0) as [number, number];
  const prefix = groups.slice(0, 6).join(":");
  const isMapped = prefix === "0:0:0:0:0:65535" || prefix === "0:0:0:0:65535:0";
  if (isMapped || prefix === "100:65435:0:0:0:0") return dotted(high, low);
  if (groups[0] === 0x2002) return dotted(groups[1] ?? 0, groups[2] ?? 0);
  return undefined;
}

function groupsOf(address: string): number[] {
  const plain = address
    .replace(/%.*$/, "")
    .replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
      const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
      return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    });
  const [head = "", tail] = plain.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array.from({ length: zeros }, () => "0"), ...after].map((group) =>
    Number.parseInt(group, 16),
  );
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}
