import { describe, expect, vi } from "vitest";

import type { Registry } from "../../src/index.ts";
import { ENGINES } from "./engines.ts";
import { localModel } from "./local-model.ts";
import { expectInvalid, expectRefusal } from "./refusal.ts";

async function withAnn(registry: Registry): Promise<string> {
  await registry.access.users.create({
    name: "ann",
    grants: [{ role: "reader" }, { role: "editor", tag: "t" }],
  });
  return (await registry.access.tokens.create("ann", { name: "laptop", scopes: ["run"] })).token;
}

describe.each(ENGINES)("access tokens ($name)", ({ test }) => {
  test("say who somebody is, again and again as the same identity", async ({ registry }) => {
    const token = await withAnn(registry);
    expect(token).toMatch(/^ctx_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
    const identity = await registry.access.authenticate(token);
    expect(identity).toEqual({
      user: "ann",
      grants: [
        { role: "reader", pattern: null, tag: null, owner: null },
        { role: "editor", pattern: null, tag: "t", owner: null },
      ],
      scopes: ["run"],
      tokenId: token.slice(4, 16),
    });
    await registry.models.create(localModel("a"));
    expect(await registry.access.authenticate(token)).toBe(identity);
  });

  test("are nowhere in what is stored: only a hash of what is secret", async ({ registry, store }) => {
    const token = await withAnn(registry);
    const dump = await store.dump();
    expect(dump).toContain(token.slice(4, 16));
    expect(dump).not.toContain(token.slice(17));
    expect(JSON.stringify(await registry.access.tokens.list())).not.toContain("sha256");
  });

  test("that are not good are refused in the same words, whatever is wrong", async ({ registry }) => {
    const token = await withAnn(registry);
    const { tokens } = registry.access;
    const revoked = await tokens.create("ann");
    await tokens.revoke(revoked.record.tokenId);
    const expiring = await tokens.create("ann", { expiresAt: Date.now() + 60_000 });
    await registry.access.authenticate(expiring.token);
    const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_001);
    const said = new Set<string>();
    const bad = [
      expiring.token,
      revoked.token,
      `${token.slice(0, -1)}${token.endsWith("A") ? "E" : "A"}`,
      token.replace(/_[0-9a-f]{12}_/, "_000000000000_"),
      `${token} `,
      token.toUpperCase(),
      "",
      "Bearer x",
      undefined,
      {},
      "x".repeat(1_000_000),
    ];
    for (const one of bad) {
      said.add((await expectRefusal("unauthenticated", registry.access.authenticate(one as string))).message);
    }
    clock.mockRestore();
    expect(said.size).toBe(1);
    expect((await registry.access.authenticate(token)).user).toBe("ann");
  });

  test("that are guessed are refused each time, also while the right one is in use", async ({ registry }) => {
    const token = await withAnn(registry);
    const guess = `${token.slice(0, 20)}${token[20] === "A" ? "B" : "A"}${token.slice(21)}`;
    for (let request = 0; request < 3; request++) {
      await expectRefusal("unauthenticated", registry.access.authenticate(guess));
      expect((await registry.access.authenticate(token)).user).toBe("ann");
    }
  });

  test("expire while they are in use", async ({ registry }) => {
    await withAnn(registry);
    const { token } = await registry.access.tokens.create("ann", { expiresAt: Date.now() + 60_000 });
    const asOf = registry.changeCounter();
    for (let request = 0; request < 3; request++) await registry.access.authenticate(token, asOf);
    const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_001);
    expect(registry.access.recognise(token, asOf)).toBeUndefined();
    await expectRefusal("unauthenticated", registry.access.authenticate(token, asOf));
    clock.mockRestore();
  });

  test("are recognised at once when they were met before, and only letter by letter", async ({
    registry,
    store,
  }) => {
    const token = await withAnn(registry);
    const server = await store.open();
    expect(server.access.recognise(token)).toBeUndefined();
    const identity = await server.access.authenticate(token);
    expect(server.access.recognise(token)).toBe(identity);
    // Of the same name and length, one after the other, so that what was compared last is of no use.
    const others = [
      `${token.slice(0, -1)}~`,
      `${token.slice(0, -1)}é`,
      `${token.slice(0, -2)}é`,
      `${token}~`,
    ];
    for (const other of [...others, token.slice(0, -1), "", token.toUpperCase()]) {
      expect(server.access.recognise(other), other).toBeUndefined();
      expect(server.access.recognise(token)).toBe(identity);
    }
    await registry.access.tokens.revoke(identity.tokenId!);
    expect(server.access.recognise(token)).toBeUndefined();
  });

  test("follow what another process changes at the next request", async ({ registry, store }) => {
    const token = await withAnn(registry);
    const server = await store.open();
    const identity = await server.access.authenticate(token);
    await registry.models.create(localModel("a"));
    expect(await server.access.authenticate(token)).toBe(identity);
    await registry.access.users.update("ann", { grants: [{ role: "admin" }] });
    expect((await server.access.authenticate(token)).grants).toMatchObject([{ role: "admin" }]);
    await registry.access.tokens.revoke(identity.tokenId!);
    await expectRefusal("unauthenticated", server.access.authenticate(token));
    const { token: other } = await registry.access.tokens.create("ann");
    expect(await server.access.hasUsers()).toBe(true);
    await server.access.authenticate(other);
    await registry.access.users.delete("ann");
    await expectRefusal("unauthenticated", server.access.authenticate(other));
    expect(await server.access.hasUsers()).toBe(false);
  });

  test("have their last use recorded, at most once a minute and when the registry is closed", async ({
    store,
    registry,
  }) => {
    const token = await withAnn(registry);
    const lastUse = async (): Promise<number | null> => (await registry.access.tokens.list())[0]!.lastUsedAt;
    const server = await store.open();
    const before = Date.now();
    await server.access.authenticate(token);
    await vi.waitFor(async () => expect(await lastUse()).toBeGreaterThanOrEqual(before));
    const first = await lastUse();
    const clock = vi.spyOn(Date, "now").mockReturnValue(before + 30_000);
    for (let count = 0; count < 10; count++) await server.access.authenticate(token);
    expect(await lastUse()).toBe(first);
    await server.close();
    clock.mockRestore();
    expect(await lastUse()).toBe(before + 30_000);
    const reader = await store.open({ mode: "read" });
    expect((await reader.access.authenticate(token)).user).toBe("ann");
    await reader.close();
  });

  test("are made for users that there are, with scopes and times that make sense", async ({ registry }) => {
    await withAnn(registry);
    const { tokens } = registry.access;
    await expectRefusal("not_found", tokens.create("bob"));
    await expectInvalid("expires_at", tokens.create("ann", { expiresAt: Date.now() - 1 }));
    await expectInvalid("scopes", tokens.create("ann", { scopes: ["write" as never] }));
    await expectRefusal("not_found", tokens.revoke("000000000000"));
    const { record } = await tokens.create("ann", { scopes: ["read", "read"] });
    expect(record.scopes).toEqual(["read"]);
    const revoked = await tokens.revoke(record.tokenId);
    expect(await tokens.revoke(record.tokenId)).toEqual(revoked);
    expect((await tokens.list({ userName: "ann" })).map(({ name }) => name)).toEqual(["laptop", null]);
    await expectRefusal("not_found", tokens.list({ userName: "bob" }));
  });
});
