import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";

import { expect } from "vitest";

import { test } from "../../harness.ts";

function lines(from: number, to: number): string {
  const all = Array.from({ length: to - from }, (_, index) => ({
    model_id: `m${from + index}`,
    source_type: "local",
  }));
  return all.map((line) => `${JSON.stringify(line)}\n`).join("");
}

test("a bulk request goes no further than its token is good", async ({ service }) => {
  const { access, models } = service.registry;
  await access.users.create({ name: "ann", grants: [{ role: "editor" }] });
  const { token, record } = await access.tokens.create("ann");
  const sent = request(`${service.url}/v1/models:bulk-create`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/x-ndjson" },
  });
  sent.on("error", () => {});
  sent.write(lines(0, 600));
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const closed = new Promise((resolve) => answer.on("error", () => {}).once("close", resolve));
  await once(answer, "data");
  expect(await models.count()).toBe(500);
  await access.tokens.revoke(record.tokenId);
  sent.end(lines(600, 2000));
  answer.resume();
  await closed;
  expect(answer.complete).toBe(false);
  // The batch that was waited for when the token ended may be done.
  expect(await models.count()).toBeLessThanOrEqual(1000);
});
