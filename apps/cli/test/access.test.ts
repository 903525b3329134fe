import { openRegistry } from "@cortex/model-db";
import { expect, test } from "vitest";

import { Sandbox, type List } from "./cortex.ts";

test("users are added with a role, granted more, listed and removed", async () => {
  using sandbox = new Sandbox();
  const added = await sandbox.run(["user", "add", "ann", "--role", "reader"]);
  expect(added).toMatchObject({
    exitCode: 0,
    stdout: "",
    stderr: expect.stringContaining("Added ann: reader."),
  });
  expect(await sandbox.json("user", "grant", "ann", "--role", "editor", "--only", "team-a/*")).toMatchObject({
    name: "ann",
    grants: [
      { role: "reader", pattern: null, tag: null, owner: null },
      { role: "editor", pattern: "team-a/*", tag: null, owner: null },
    ],
  });
  expect(await sandbox.output("user", "add", "bob", "--role", "admin", "--only-tag", "chat", "-q")).toBe(
    "bob\n",
  );
  expect(await sandbox.output("user")).toMatch(
    /^USER +GRANTS +ADDED\nann +reader, editor of team-a\/\* +\S.*\nbob +admin with the tag chat +\S.*\n$/,
  );
  expect((await sandbox.json<List>("user", "list")).data.map(({ name }) => name)).toEqual(["ann", "bob"]);
  expect(
    await sandbox.json("user", "grant", "ann", "--role", "operator", "--only-owner", "bob", "--replace"),
  ).toMatchObject({ grants: [{ role: "operator", owner: "bob" }] });
  expect((await sandbox.run(["user", "add", "ann", "--role", "reader"])).exitCode).toBe(4);
  expect((await sandbox.run(["user", "add", "eve"])).stderr).toContain("--role is missing");
  expect((await sandbox.run(["user", "add", "eve", "--role", "edtor"])).stderr).toContain("editor");
  expect((await sandbox.run(["user", "add"])).exitCode).toBe(2);
  expect((await sandbox.run(["user", "grant", "eve", "--role", "admin"])).exitCode).toBe(3);
  expect((await sandbox.run(["user", "rm", "eve", "-y"])).exitCode).toBe(3);
});

test("a user who goes gives the models to somebody else, and is asked about", async () => {
  using sandbox = new Sandbox();
  for (const name of ["ann", "bob"]) await sandbox.output("user", "add", name, "--role", "editor");
  await sandbox.output("token", "create", "ann");
  await sandbox.output("add", "m", "--owner", "ann", "--private");
  await sandbox.output("add", "n");
  expect(await sandbox.run(["user", "rm", "ann", "-y"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("ann owns 1 model: say who is to, with --give-models-to <user>."),
  });
  const given = ["user", "rm", "ann", "--give-models-to", "bob"];
  expect((await sandbox.run(given)).stderr).toContain("needs a yes");
  expect(await sandbox.run([...given, "--dry-run"])).toMatchObject({
    exitCode: 0,
    stderr: "Would go: ann, with 1 token; bob then owns 1 model\n",
  });
  expect((await sandbox.json<List>("user")).data).toHaveLength(2);
  expect(await sandbox.json(...given, "-y")).toMatchObject({ name: "ann" });
  expect((await sandbox.json<List>("token")).data).toEqual([]);
  expect(await sandbox.output("list", "-q", "--owner", "bob", "--private")).toBe("m\n");
  expect(await sandbox.output("list", "-q", "--no-private")).toBe("n\n");
  expect(await sandbox.output("list", "-q", "--owner", "")).toBe("n\n");
});

test("a token is printed once, alone, and is good until it is revoked", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("user", "add", "ann", "--role", "editor");
  const created = await sandbox.run(["token", "create", "ann", "--name", "laptop", "--expires", "30d"]);
  expect(created.stdout).toMatch(/^ctx_[0-9a-f]{12}_[\w-]{43}\n$/);
  expect(created.stderr).toContain("shown only this once");
  const token = created.stdout.trim();
  const id = token.slice(4, 16);
  await using registry = await openRegistry(sandbox.db);
  expect(await registry.access.authenticate(token)).toMatchObject({ user: "ann", scopes: [] });
  const narrow = await sandbox.json("token", "create", "ann", "--scope", "read", "--scope", "run");
  expect(narrow).toMatchObject({ user_name: "ann", scopes: ["read", "run"], expires_at: null });
  expect(await registry.access.authenticate(narrow["token"] as string)).toMatchObject({
    scopes: ["read", "run"],
  });
  const shown = await sandbox.output("token", "list", "ann");
  expect(shown).toMatch(new RegExp(`^${id} +ann +laptop +all +good, expires in .+ +\\S`, "m"));
  expect(shown).not.toContain(token.slice(17));
  expect(await sandbox.run(["token", "revoke", id])).toMatchObject({ exitCode: 0, stdout: "" });
  await expect(registry.access.authenticate(token)).rejects.toMatchObject({ code: "unauthenticated" });
  const { data } = await sandbox.json<List>("token");
  expect(data.find(({ token_id }) => token_id === id)).toMatchObject({ revoked_at: expect.any(Number) });
  expect(JSON.stringify(data)).not.toContain("sha256");
  expect((await sandbox.run(["token", "create", "bob"])).exitCode).toBe(3);
  expect((await sandbox.run(["token", "create", "ann", "--scope", "write"])).exitCode).toBe(2);
  expect((await sandbox.run(["token", "create"])).stderr).toContain("<user> is missing");
  expect((await sandbox.run(["token", "revoke", "000000000000"])).exitCode).toBe(3);
  expect((await sandbox.run(["token", "list", "bob"])).exitCode).toBe(3);
});

test("an owner has to be a user, and a private model has an owner", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("user", "add", "ann", "--role", "reader");
  expect((await sandbox.run(["add", "m", "--owner", "eve"])).stderr).toContain('There is no user "eve"');
  expect((await sandbox.run(["add", "m", "--private"])).exitCode).toBe(2);
  await sandbox.output("add", "m", "--owner", "ann", "--private");
  expect(await sandbox.output("show", "m")).toMatch(/^owner +ann\nprivate +yes$/m);
  expect((await sandbox.run(["update", "m", "--owner="])).exitCode).toBe(2);
  expect(await sandbox.json("update", "m", "--owner=", "--no-private")).toMatchObject({
    owner: null,
    private: false,
  });
});
