import { join } from "node:path";

import { expect } from "vitest";

import { openRegistry, type Identity } from "../../src/index.ts";
import { startProcess } from "../processes/start.ts";
import { test } from "./folder.ts";

const NARROWED = [{ role: "reader", pattern: null, tag: "t", owner: null }];

test.for([
  ["revoke", undefined],
  ["remove", undefined],
  ["narrow", NARROWED],
] as const)(
  "what another process does to a token that is in use, to %s it, is so at the next request",
  { timeout: 20_000 },
  async ([change, left], { folder }) => {
    const location = join(folder, "registry.db");
    await using registry = await openRegistry(location);
    const { access } = registry;
    await access.users.create({ name: "ann", grants: [{ role: "admin" }] });
    const { token, record } = await access.tokens.create("ann");
    const other = startProcess("access-changer.ts", { location, tokenId: record.tokenId, user: "ann" });
    await other.next("ready");
    const grants = (asOf?: number): Promise<Identity["grants"] | undefined> =>
      access.authenticate(token, asOf).then(
        (identity) => identity.grants,
        () => undefined,
      );
    for (let request = 0; request < 3; request++) expect(await grants()).toMatchObject([{ role: "admin" }]);
    other.send(change);
    await other.next("done");
    // Also where a service looks for changes once for several requests.
    const asOf = registry.changeCounter();
    expect(await grants(asOf)).toEqual(left);
    expect(await grants(asOf)).toEqual(left);
    expect(await grants()).toEqual(left);
    other.send("end");
    await other.ended;
  },
);
