import { expect, test } from "vitest";

import { guardedConnector, isPublicAddress } from "../../src/hub/address-guard.ts";

test.for([
  ["127.0.0.1", "of this machine"],
  ["127.8.8.8", "of this machine"],
  ["0.0.0.0", "of this machine, on Linux"],
  ["10.1.2.3", "private"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.168.1.1", "private"],
  ["169.254.169.254", "where clouds answer with credentials"],
  ["100.64.0.1", "behind a carrier's NAT"],
  ["100.100.100.200", "where a cloud answers with credentials"],
  ["192.0.0.192", "where a cloud answers with credentials"],
  ["198.18.0.1", "for benchmarks"],
  ["224.0.0.1", "of a group"],
  ["255.255.255.255", "of everybody"],
  ["::", "of this machine"],
  ["::1", "of this machine"],
  ["::127.0.0.1", "an IPv4 address in an old way"],
  ["::ffff:127.0.0.1", "mapped"],
  ["::ffff:7f00:1", "mapped, as hexadecimal"],
  ["0:0:0:0:0:ffff:a00:1", "mapped, in full"],
  ["::ffff:0:10.0.0.1", "translated"],
  ["64:ff9b::10.0.0.1", "behind NAT64"],
  ["64:ff9b:1::1", "behind a local NAT64"],
  ["2002:a00:1::", "private, by 6to4"],
  ["2001:0:1::1", "by Teredo"],
  ["3fff::1", "in books"],
  ["5f00::1", "of a network's own routing"],
  ["fc00::1", "private"],
  ["fd12:3456:789a::1", "private"],
  ["fe80::1", "of this link"],
  ["fe80::1%eth0", "of this link"],
  ["fec0::1", "of this site"],
  ["ff02::1", "of a group"],
  ["example.org", "no address"],
] as const)("%s is not public: %s", ([address]) => {
  expect(isPublicAddress(address)).toBe(false);
});

test.for([
  "1.1.1.1",
  "18.164.174.23",
  "100.63.255.255",
  "100.128.0.0",
  "172.32.0.1",
  "192.169.0.1",
  "2606:4700::1111",
  "::ffff:1.1.1.1",
  "64:ff9b::1.1.1.1",
  "2002:101:101::",
])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test("a name is judged by what it means when it is connected to", async () => {
  const target = { hostname: "localhost", host: "localhost:9", protocol: "http:", port: "9" };
  const connect = (allowed: string[]): Promise<unknown> =>
    new Promise((resolve) => {
      guardedConnector(new Set(allowed))(target, (...[error]) => resolve(error));
    });
  expect(await connect([])).toMatchObject({
    code: "permission_denied",
    message: expect.stringContaining("localhost ("),
  });
  // Nobody listens there.
  expect(await connect(["localhost"])).toMatchObject({ code: "ECONNREFUSED" });
});
