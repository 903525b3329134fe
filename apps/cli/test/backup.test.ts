import { existsSync, readFileSync, writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { finished, Sandbox, type List } from "./cortex.ts";

const add = (sandbox: Sandbox, modelId: string, ...flags: string[]): Promise<string> =>
  sandbox.output("add", modelId, "--no-alias", ...flags);

/** Waits until what a process has printed matches. */
function printed(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<void> {
  return new Promise((resolve) => {
    let text = "";
    stream.on("data", (chunk) => {
      text += String(chunk);
      if (pattern.test(text)) resolve();
    });
  });
}

test("a backup prints where the snapshot is, and keeps as many as asked for", async () => {
  using sandbox = new Sandbox();
  await add(sandbox, "a");
  const { exitCode, stdout, stderr } = await sandbox.run(["backup", "backups"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
  expect(stderr).toMatch(
    /^Snapshot up to change 1, [\d.]+ kB: .*backups\/snapshots\/000000000001-\d{8}T\d{9}Z\.db\n$/,
  );
  const snapshot = await sandbox.json("backup", "backups");
  expect(snapshot).toMatchObject({
    event_id: 1,
    path: expect.stringContaining("000000000001-"),
    size_bytes: expect.any(Number),
  });
  const path = (await sandbox.output("backup", "backups", "-q", "--keep", "1")).trim();
  expect(existsSync(path)).toBe(true);
  expect(existsSync(snapshot["path"] as string)).toBe(false);
  expect(await sandbox.output("list", "-q", "--db", path)).toBe("a\n");
});

test("without a registry there is nothing to back up, check or restore", async () => {
  using sandbox = new Sandbox();
  for (const words of [
    ["backup", "backups"],
    ["backup", "backups", "--follow"],
    ["check"],
    ["restore", "--at", "1h", "-y"],
  ]) {
    const { exitCode, stderr } = await sandbox.run(words);
    expect(exitCode, words.join(" ")).toBe(3);
    expect(stderr).toContain("There is no registry at");
    expect(existsSync(sandbox.path("backups"))).toBe(false);
  }
});

test("following logs each change, is refused twice, and ends when it is interrupted", async () => {
  using sandbox = new Sandbox();
  await add(sandbox, "a");
  const follower = sandbox.start(["backup", "backups", "--follow", "--json"]);
  const ended = finished(follower);
  await printed(follower.stdout, /"snapshot"/);
  const second = await sandbox.run(["backup", "backups", "--follow"]);
  expect(second.exitCode).toBe(1);
  expect(second.stderr).toContain("is followed into already, by process");
  await add(sandbox, "b");
  while (!readFileSync(sandbox.path("backups/log/000000000002.jsonl"), "utf8").includes('"model_id":"b"')) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  follower.kill("SIGINT");
  const { exitCode, stderr } = await ended;
  expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: "" });
});

test("a whole registry has nothing wrong, and a damaged one ends with 6 and says what to do", async () => {
  using sandbox = new Sandbox();
  for (const modelId of ["a", "b", "c"]) await add(sandbox, modelId, "--notes", `about ${modelId}`);
  expect(await sandbox.run(["check", "--full"])).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "Nothing is wrong.\n",
  });
  expect(await sandbox.json("check")).toEqual({ data: [], next_cursor: null });
  await sandbox.output("backup", "backups");
  const bytes = readFileSync(sandbox.db);
  bytes[bytes.indexOf("about b") + 6]! ^= 1;
  writeFileSync(sandbox.db, bytes);
  const { exitCode, stdout, stderr } = await sandbox.run(["check", "--full"]);
  expect(exitCode).toBe(6);
  expect(stdout).toContain('damage row_checksum: The record of "b" is not what was written.\n');
  expect(stderr).toMatch(/^The registry is damaged: \d found.*\n  row_checksum: `cortex repair`/);
  const { data } = JSON.parse((await sandbox.run(["check", "--json"])).stdout) as List;
  expect(data).toContainEqual({
    code: "row_checksum",
    severity: "damage",
    subject: "b",
    message: 'The record of "b" is not what was written.',
    remedy: expect.stringContaining("cortex repair"),
  });
  const refused = await sandbox.run(["backup", "backups"]);
  expect({ exitCode: refused.exitCode, stdout: refused.stdout }).toEqual({ exitCode: 6, stdout: "" });
});

test("a warning alone is no failure", async () => {
  using sandbox = new Sandbox();
  await add(sandbox, "a", "--config-path", "/nowhere/a.yml", "--availability", "present");
  const { exitCode, stdout, stderr } = await sandbox.run(["check", "--full"]);
  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: 'warning config_gone: /nowhere/a.yml, the configuration of "a", is gone.\n',
  });
  expect(stderr).toMatch(/^The registry is whole, 1 warning\. What to do:\n  config_gone: /);
});

test("restore undoes by the history: it shows, asks, and keeps what there was", async () => {
  using sandbox = new Sandbox();
  await add(sandbox, "a", "--notes", "first");
  await add(sandbox, "b");
  const at = String(Date.now());
  await new Promise((resolve) => setTimeout(resolve, 5));
  await sandbox.output("update", "a", "--notes", "second");
  await sandbox.output("rm", "b", "-y");
  await add(sandbox, "c");

  const refused = await sandbox.run(["restore", "--at", at]);
  expect(refused.exitCode).toBe(2);
  expect(refused.stderr).toContain("restore needs a yes");
  const shown = await sandbox.run(["restore", "--at", at, "--dry-run"]);
  const lines = "- c\n+ b\n~ a (notes)\n";
  expect(shown).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: `${lines}Would be: 1 created, 1 updated, 1 deleted\n`,
  });
  expect(await sandbox.output("list", "-q")).toBe("c\na\n");

  const done = await sandbox.run(["restore", "--at", at, "-y"]);
  expect(done.stderr).toMatch(
    new RegExp(
      `^${lines.replaceAll(/[+()]/g, "\\$&")}1 created, 1 updated, 1 deleted\nAs it was before: (.*)\n$`,
    ),
  );
  expect((await sandbox.json("show", "a"))["notes"]).toBe("first");
  const before = /before: (.*)\n/.exec(done.stderr)![1]!;
  expect(await sandbox.output("list", "-q", "--db", before)).toBe("c\na\n");

  const again = await sandbox.run(["restore", "--at", at, "-y"]);
  expect(again).toEqual({ exitCode: 0, stdout: "", stderr: "Nothing to do: it is so already.\n" });
  // What was undone can be undone.
  expect(await sandbox.json("restore", before, "-y")).toMatchObject({
    dry_run: false,
    created: ["c"],
    updated: [{ model_id: "a", fields: ["notes"] }],
    deleted: ["b"],
    snapshot: expect.stringContaining("registry.db.backups"),
  });
});

test("one model is put back from a backup folder, also when it is gone", async () => {
  using sandbox = new Sandbox();
  await add(sandbox, "a", "--notes", "first");
  await add(sandbox, "b");
  await sandbox.output("backup", "backups");
  await sandbox.output("rm", "a", "b", "-y");
  expect(await sandbox.output("restore", "backups", "--model", "a", "-y", "-q")).toBe("a\n");
  expect(await sandbox.output("list", "-q")).toBe("a\n");
  const unknown = await sandbox.run(["restore", "backups", "--model", "x", "-y"]);
  expect(unknown.exitCode).toBe(3);
});

test("restore wants to know what to go back to, and refuses what is no backup", async () => {
  using sandbox = new Sandbox();
  await add(sandbox, "a");
  const vague = await sandbox.run(["restore", "-y"]);
  expect(vague.exitCode).toBe(2);
  expect(vague.stderr).toContain("What to go back to?");
  const none = await sandbox.run(["restore", "nowhere", "-y"]);
  expect(none.exitCode).toBe(3);
});
