/** Changes who may do what, each time a line asks for it, and says when that is committed. */
import { createInterface } from "node:readline";

import { openRegistry } from "../../src/index.ts";
import { say } from "./say.ts";

const { location, tokenId, user } = JSON.parse(process.argv[2]!) as Record<
  "location" | "tokenId" | "user",
  string
>;
await using registry = await openRegistry(location);
const { users, tokens } = registry.access;
const changes: Readonly<Record<string, () => Promise<unknown>>> = {
  narrow: () => users.update(user, { grants: [{ role: "reader", tag: "t" }] }),
  revoke: () => tokens.revoke(tokenId),
  remove: () => users.delete(user),
};
say("ready");
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "end") break;
  await changes[line]!();
  say("done");
}
process.stdin.destroy();
