import { describe, expect, test } from "vitest";

import { ClientAddress, networkOf } from "../../src/guard/address.ts";

describe("the address of a client", () => {
  test.for([
    ["is the connection's", [], "203.0.113.9", undefined, "203.0.113.9"],
    ["is never what a client says of itself", [], "203.0.113.9", "10.0.0.1", "203.0.113.9"],
    ["is IPv4 also on a socket for both", [], "::ffff:127.0.0.1", undefined, "127.0.0.1"],
    ["is local on a unix socket", [], undefined, undefined, "local"],
    ["is what a trusted proxy says", ["private"], "127.0.0.1", "203.0.113.9", "203.0.113.9"],
    [
      "is what the last proxy saw, not what the client made up",
      ["private"],
      "127.0.0.1",
      "1.2.3.4, 203.0.113.9",
      "203.0.113.9",
    ],
    [
      "is found through several proxies",
      ["private"],
      "::1",
      "203.0.113.9, 10.0.0.7, 192.168.1.1",
      "203.0.113.9",
    ],
    [
      "is not taken from a stranger who plays the proxy",
      ["private"],
      "203.0.113.9",
      "10.0.0.1",
      "203.0.113.9",
    ],
    ["is the last that is one", ["private"], "127.0.0.1", "unknown", "127.0.0.1"],
    ["is what a proxy on a unix socket says", ["private"], undefined, "2001:db8::1", "2001:db8::1"],
    ["is trusted from a listed proxy", ["203.0.113.0/24"], "203.0.113.9", "198.51.100.2", "198.51.100.2"],
    [
      "is not trusted from one that is not listed",
      ["203.0.113.0/24"],
      "127.0.0.1",
      "198.51.100.2",
      "127.0.0.1",
    ],
  ] as const)("%s", ([, trustProxy, peer, forwardedFor, address]) => {
    expect(new ClientAddress(trustProxy).find(peer, forwardedFor)).toBe(address);
  });
});

describe("what a client is counted by", () => {
  test.for([
    ["203.0.113.9", "203.0.113.9"],
    ["local", "local"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
    ["2001:db8::6", "2001:db8:0:0::/64"],
    ["2001:db8::1:2:3:4:5", "2001:db8:0:1::/64"],
    ["::1", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ])("%s is %s", ([address, network]) => {
    expect(networkOf(address!)).toBe(network);
  });
});
