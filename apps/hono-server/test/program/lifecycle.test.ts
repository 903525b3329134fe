import { once } from "node:events";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { lastLoggedEventId, openRegistry, restoreFile } from "@cortex/model-db";
import { expect, test, vi } from "vitest";

import { Sandbox } from "./program.ts";

// Each is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

test("it serves a new registry, and SIGTERM ends it with exit code 0", async () => {
  await using sandbox = new Sandbox();
  const server = await sandbox.start();
  const answer = await fetch(`${server.url}/v1/models`);
  expect(answer.status).toBe(200);
  expect(await server.end()).toBe(0);
  expect(server.stderr).toBe("");
  expect(server.log.at(-1)).toMatchObject({ level: "info", msg: "Ended." });
});

test("a request that is under way is answered before it ends", async () => {
  await using sandbox = new Sandbox();
  const server = await sandbox.start();
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  let text = "";
  const closed = once(socket, "close");
  socket.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  const head = "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n";
  // A connection that was not accepted yet would be refused.
  socket.write(`${head}\r\n`);
  await once(socket, "data");
  text = "";
  socket.write(head);
  server.process.kill("SIGTERM");
  await server.line(({ msg }) => String(msg).startsWith("Ending"));
  // The rest of the request comes when it is ending already.
  socket.write("Connection: close\r\n\r\n");
  await closed;
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect(await server.ended()).toBe(0);
});

test("event streams are ended with it, and not waited for", async () => {
  await using sandbox = new Sandbox();
  const server = await sandbox.start();
  const answer = await fetch(`${server.url}/v1/events`, { headers: { accept: "text/event-stream" } });
  expect(answer.status).toBe(200);
  const text = answer.text();
  const startedAt = performance.now();
  expect(await server.end()).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(5000);
  await text;
});

test("a second signal ends it at once", async () => {
  await using sandbox = new Sandbox();
  const server = await sandbox.start();
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write("GET /v1/models HTTP/1.1\r\n");
  await once(socket, "connect");
  server.process.kill("SIGINT");
  await server.line(({ msg }) => String(msg).startsWith("Ending"));
  expect(await server.end("SIGINT")).toBe(130);
});

test("the backup has every change when it has ended", async () => {
  await using sandbox = new Sandbox();
  const backup = sandbox.path("backup");
  const server = await sandbox.start(["--backup", backup]);
  {
    await using registry = await openRegistry(sandbox.db);
    for (let index = 0; index < 50; index += 1) {
      await registry.models.create({ modelId: `m${index}`, sourceType: "local" });
    }
  }
  expect(await server.end()).toBe(0);
  expect(lastLoggedEventId(backup)).toBe(50);
});

test("a second server that would follow into the same backup is refused", async () => {
  await using sandbox = new Sandbox();
  await sandbox.start(["--backup", sandbox.path("backup")]);
  const second = await sandbox.run(["--db", sandbox.db, "--port", "0", "--backup", sandbox.path("backup")]);
  expect(second.stderr).toMatch(/followed into already/);
  expect(second.exitCode).toBe(1);
});

test("it goes on with the registry that a restore puts in the place of its own", async () => {
  await using sandbox = new Sandbox();
  const backup = sandbox.path("backup");
  const server = await sandbox.start(["--backup", backup]);
  {
    await using registry = await openRegistry(sandbox.db);
    await registry.models.create({ modelId: "kept", sourceType: "local" });
  }
  await vi.waitFor(() => expect(lastLoggedEventId(backup)).toBe(1), 10_000);
  await restoreFile(sandbox.db, backup);
  await server.line(({ msg }) => String(msg).startsWith("Another file was put in the place"));
  {
    await using registry = await openRegistry(sandbox.db);
    await registry.models.create({ modelId: "new", sourceType: "local" });
  }
  expect((await fetch(`${server.url}/v1/models/kept`)).status).toBe(200);
  expect((await fetch(`${server.url}/v1/models/new`)).status).toBe(200);
  expect(await server.end()).toBe(0);
});

test.for([0, 2500])("it goes on with its registry when the file was away for %i ms", async (awayMs) => {
  await using sandbox = new Sandbox();
  const server = await sandbox.start();
  const list = async (): Promise<number> => (await fetch(`${server.url}/v1/models`)).status;
  expect(await list()).toBe(200);
  renameSync(sandbox.db, sandbox.path("away.db"));
  // Whoever asks meanwhile finds it missing.
  await vi.waitFor(async () => expect(await list()).toBe(500), 10_000);
  await sleep(awayMs);
  renameSync(sandbox.path("away.db"), sandbox.db);
  await server.line(({ msg }) => String(msg).endsWith("was away and is back: it is served now."));
  expect(await list()).toBe(200);
  {
    await using registry = await openRegistry(sandbox.db);
    await registry.models.create({ modelId: "new", sourceType: "local" });
  }
  expect((await fetch(`${server.url}/v1/models/new`)).status).toBe(200);
  expect(await server.end()).toBe(0);
});

test("SIGHUP takes what needs no restart, says what does, and keeps what is when the file is wrong", async () => {
  await using sandbox = new Sandbox();
  const file = sandbox.path("settings.json");
  writeFileSync(file, "{}");
  const server = await sandbox.start(["--config", file]);
  writeFileSync(file, '{"log_level": "debug", "backup": "b"}');
  server.process.kill("SIGHUP");
  expect(await server.line(({ msg }) => msg === "The settings were read anew.")).toMatchObject({
    changed: ["log_level"],
  });
  expect(await server.line(({ msg }) => msg === "These settings need a restart.")).toMatchObject({
    settings: ["backup"],
  });
  writeFileSync(file, '{"log_level": "debug');
  server.process.kill("SIGHUP");
  await server.line(({ level, msg }) => level === "error" && /stay as they were.*no JSON/.test(String(msg)));
  expect((await fetch(`${server.url}/v1/models`)).status).toBe(200);
  expect(await server.end()).toBe(0);
});

test.for([{ allowed_host: ["models.example.org"] }, { trust_proxy: ["private"] }])(
  "SIGHUP does not let others in as long as there is no user, and says how to make one: %o",
  async (opened) => {
    await using sandbox = new Sandbox();
    const file = sandbox.path("settings.json");
    writeFileSync(file, "{}");
    const server = await sandbox.start(["--config", file]);
    writeFileSync(file, JSON.stringify({ ...opened, log_level: "debug" }));
    server.process.kill("SIGHUP");
    expect(await server.line(({ level }) => level === "error")).toMatchObject({
      msg: expect.stringMatching(
        /^The settings stay as they were\. .* has no user yet.* cortex token create admin --db \S+$/,
      ) as unknown,
    });
    expect((await fetch(`${server.url}/v1/models`)).status).toBe(200);
    {
      await using registry = await openRegistry(sandbox.db);
      await registry.access.users.create({ name: "ann", grants: [{ role: "admin" }] });
    }
    server.process.kill("SIGHUP");
    await server.line(({ msg }) => msg === "The settings were read anew.");
    expect((await fetch(`${server.url}/v1/models`)).status).toBe(401);
  },
);

test("a folder that somebody named and is not there is refused, and not made", async () => {
  await using sandbox = new Sandbox();
  const { exitCode, stderr } = await sandbox.run(["--port", "0", "--db", "disk/registry.db"]);
  expect(stderr).toMatch(/^cortex-server: There is no folder .*disk for the registry: make it/);
  expect(exitCode).toBe(3);
});

test("a damaged registry is refused with exit code 6 and the way to mend it", async () => {
  await using sandbox = new Sandbox();
  await (await openRegistry(sandbox.db)).close();
  const bytes = readFileSync(sandbox.db);
  writeFileSync(sandbox.db, bytes.fill(7, 100, 4096));
  const { exitCode, stderr } = await sandbox.run(["--port", "0", "--db", sandbox.db]);
  expect(stderr).toMatch(/cortex repair/);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(exitCode).toBe(6);
});

test.for([
  ["--host", "0.0.0.0"],
  ["--allowed-host", "models.example.org"],
  ["--trust-proxy", "private"],
])("to be reached by others is refused as long as there is no user: %s %s", async (args) => {
  await using sandbox = new Sandbox();
  const refused = await sandbox.run(["--db", sandbox.db, "--port", "0", ...args]);
  expect(refused.stderr).toMatch(
    /^cortex-server: .* has no user yet.*: cortex user add admin --role admin --db \S+ && cortex token create admin --db \S+\n$/,
  );
  expect(refused.exitCode).toBe(5);
});

test("others are served once there is a user, and nobody when the last user has gone", async () => {
  await using sandbox = new Sandbox();
  await using registry = await openRegistry(sandbox.db);
  await registry.access.users.create({ name: "ann", grants: [{ role: "admin" }] });
  const { token } = await registry.access.tokens.create("ann", { name: "test" });
  const server = await sandbox.start(["--host", "0.0.0.0"]);
  const url = server.url.replace("0.0.0.0", "127.0.0.1");
  const status = async (): Promise<number> =>
    (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect((await fetch(`${url}/v1/models`)).status).toBe(401);
  expect(await status()).toBe(200);
  expect(await server.line(({ user }) => user === "ann")).toMatchObject({ status: 200 });
  await registry.access.users.delete("ann");
  expect(await status()).toBe(401);
  expect((await fetch(`${url}/v1/models`)).status).toBe(401);
  expect(JSON.stringify(server.log)).not.toContain(token);
});

test("a port that is taken is refused", async () => {
  await using sandbox = new Sandbox();
  const server = await sandbox.start();
  const { port } = new URL(server.url);
  const { exitCode, stderr } = await sandbox.run(["--db", sandbox.db, "--port", port]);
  expect(stderr).toBe(
    `cortex-server: Another program listens on 127.0.0.1 port ${port}, perhaps another cortex-server: end it, or take another --port.\n`,
  );
  expect(exitCode).toBe(1);
});
