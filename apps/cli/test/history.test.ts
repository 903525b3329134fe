import { once } from "node:events";
import { createInterface } from "node:readline";

import { expect, test } from "vitest";

import { finished, Sandbox, type List } from "./cortex.ts";

test("every change is in the history, with who made it and what it changed", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "m", "--alias", "first");
  await sandbox.output("alias", "m", "second");
  await sandbox.output("tag", "m", "+chat");
  await sandbox.output("update", "m", "--size-bytes", "4.7GB");
  const { data, next_cursor } = await sandbox.json<List>("history", "second");
  expect(next_cursor).toBeNull();
  expect(data).toMatchObject([
    { kind: "updated", before: { size_bytes: null }, after: { size_bytes: 4_700_000_000 }, row_version: 4 },
    { kind: "tagged", after: { tags: ["chat"] } },
    { kind: "aliased", before: { alias: "first" }, after: { alias: "second" } },
    { kind: "created", before: null, after: { model_id: "m" } },
  ]);
  for (const event of data) expect(event["actor"]).toMatch(/^cli:./);
  const table = await sandbox.output("history", "m");
  expect(table).toMatch(/aliased +cli:\S+ +alias: first → second, aliases: \+first\n/);
  // One model needs no column that names it.
  expect(table).toMatch(/^WHEN +WHAT +WHO +CHANGE\n/);
  expect(await sandbox.output("history")).toMatch(/^WHEN +MODEL +WHAT +WHO +CHANGE\n/);
  expect(table).toMatch(/tagged +cli:\S+ +tags: \+chat\n/);
  expect((await sandbox.json<List>("history", "--kind", "tagged", "--kind", "created")).data).toHaveLength(2);
  expect((await sandbox.json<List>("history", "--actor", "nobody")).data).toEqual([]);
  expect((await sandbox.json<List>("history", "--since", "1h", "--until", "now")).data).toHaveLength(4);
  expect((await sandbox.json<List>("history", "--until", "1h")).data).toEqual([]);
  const page = await sandbox.json<List>("history", "--limit", "3");
  expect(
    (await sandbox.json<List>("history", "--limit", "3", "--cursor", page.next_cursor!)).data,
  ).toMatchObject([{ kind: "created" }]);
});

test("a history with nothing in it says so beside the output", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "m");
  expect(await sandbox.run(["history", "m", "--since", "2030-01-01"])).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "No change matches.\n",
  });
  expect(await sandbox.run(["history", "--actor", "nobody", "-q"])).toMatchObject({ stdout: "", stderr: "" });
  await sandbox.output("apply", "-", "--db", "empty.db");
  expect(await sandbox.run(["history", "--db", "empty.db"])).toMatchObject({
    exitCode: 0,
    stderr: "Nothing has happened yet.\n",
  });
});

test("the history tells what a model was at a time, also after it is gone", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "m", "--notes", "old");
  const [created] = (await sandbox.json<List<{ at: number }>>("history")).data;
  await sandbox.output("update", "m", "--notes", "new");
  await sandbox.output("rm", "m", "-y");
  expect(await sandbox.json("history", "m", "--at", String(created!.at))).toMatchObject({
    model_id: "m",
    notes: "old",
  });
  expect(await sandbox.output("history", "m", "-q")).toBe("3\n2\n1\n");
  expect(await sandbox.run(["history", "m", "--at", "2001-01-01"])).toMatchObject({ exitCode: 3 });
  expect(await sandbox.run(["history", "--at", "2001-01-01"])).toMatchObject({ exitCode: 2 });
  expect(await sandbox.run(["history", "nobody"])).toMatchObject({ exitCode: 3, stdout: "" });
});

test("watch prints each change of other processes once, and ends with 130 when interrupted", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "m");
  const watcher = sandbox.start(["watch", "--json", "--after", "0"]);
  const ended = finished(watcher);
  const lines = createInterface({ input: watcher.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => JSON.parse((await lines.next()).value as string);
  expect(await next()).toMatchObject({ event_id: 1, kind: "created", model_id: "m" });
  await sandbox.output("tag", "m", "+new");
  expect(await next()).toMatchObject({ event_id: 2, kind: "tagged", after: { tags: ["new"] } });
  watcher.kill("SIGINT");
  expect(await ended).toMatchObject({ exitCode: 130, stderr: "" });
});

test("watch says one line for people, of the kinds and the model that are asked for", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "a");
  await sandbox.output("add", "b");
  await sandbox.output("tag", "b", "+new");
  const watcher = sandbox.start(["watch", "b", "--kind", "tagged", "--after", "0"]);
  const [text] = (await once(watcher.stdout, "data")) as [Buffer];
  expect(text.toString()).toMatch(/^\d{4}-.*Z tagged b: tags: \+new by cli:\S+\n$/);
  watcher.kill("SIGTERM");
  expect(await finished(watcher)).toMatchObject({ exitCode: 130 });
});
