import { once } from "node:events";
import { existsSync } from "node:fs";

import { expect, test } from "vitest";

import { finished, Sandbox, type List } from "./cortex.ts";

const SQL = `'"; DROP TABLE model; --`;
const HUGE = "x".repeat(100_000);

/** Arguments that must be refused: a misuse or a failure, said in words. */
async function expectRefused(sandbox: Sandbox, args: readonly string[], input = ""): Promise<void> {
  const { exitCode, stdout, stderr } = await sandbox.run(args, input);
  const shown = args.join(" ").slice(0, 100);
  expect([1, 2, 3], `${shown}: ${stderr}`).toContain(exitCode);
  expect(stdout, shown).toBe("");
  expect(stderr, shown).toMatch(/^cortex: ./);
  expect(stderr, shown).not.toMatch(/\n\s+at |should not have happened|node:internal/);
  expect(stderr.length, shown).toBeLessThan(2000);
  // oxlint-disable-next-line no-control-regex -- nothing that drives the terminal may come through
  expect(stderr, shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
}

test("hostile ids, aliases, tags and texts are refused, and nothing is created", async () => {
  using sandbox = new Sandbox();
  for (const bad of [HUGE, "", " ", "a\nb", "\u001b[2J", "a\u009bm", "\u202eevil", "\ufeffx"]) {
    await expectRefused(sandbox, ["add", "--", bad]);
    if (bad !== "") await expectRefused(sandbox, ["add", "m", `--alias=${bad}`]);
  }
  for (const bad of [HUGE, "a b", "-a", "\u001b[2J"])
    await expectRefused(sandbox, ["add", "m", `--tag=${bad}`]);
  for (const flag of [
    "author-repo",
    "branch",
    "config-path",
    "engine",
    "format",
    "architecture",
    "quantization",
  ]) {
    await expectRefused(sandbox, ["add", "m", `--${flag}=a\u001b[2Jb`]);
  }
  expect(existsSync(sandbox.db)).toBe(false);
});

test("an id of a mebibyte is refused in a short sentence", async () => {
  using sandbox = new Sandbox();
  const record = JSON.stringify({ model_id: "x".repeat(1024 * 1024), source_type: "local" });
  await expectRefused(sandbox, ["apply", "-"], record);
  await expectRefused(sandbox, ["apply", "-"], "x".repeat(1024 * 1024));
  expect(existsSync(sandbox.db)).toBe(false);
});

test("numbers and times out of their ranges are refused, and nothing is created", async () => {
  using sandbox = new Sandbox();
  const flags = ["parameter-count", "context-length", "size-bytes"];
  for (const [index, bad] of [
    "-1",
    "1.5",
    "1e99",
    "NaN",
    "Infinity",
    "0x10",
    "9007199254740993",
    "one",
  ].entries()) {
    await expectRefused(sandbox, ["add", "m", `--${flags[index % 3]}=${bad}`]);
    await expectRefused(sandbox, ["list", `--limit=${bad}`]);
  }
  for (const bad of ["1969-12-31", "10000-01-01", "-1", "2026-02-30", "99999999999999999"]) {
    await expectRefused(sandbox, ["history", `--since=${bad}`]);
    await expectRefused(sandbox, ["list", "--filter", `created_at>${bad}`]);
  }
  expect(existsSync(sandbox.db)).toBe(false);
});

test("records of wrong types, with half characters or __proto__, are refused", async () => {
  using sandbox = new Sandbox();
  const whole = '"model_id":"m","source_type":"local"';
  for (const part of [
    '"__proto__":{"x":1}',
    '"constructor":1',
    '"metadata":{"__proto__":{}}',
    '"metadata":[]',
    '"metadata":"x"',
    '"alias":"\\ud800"',
    '"notes":"\\udc00"',
    '"metadata":{"a":"\\ud800"}',
    '"tags":[1]',
    '"tags":"chat"',
    '"tags":null',
    '"aliases":{}',
    '"pinned":1',
    '"size_bytes":"5"',
    '"size_bytes":-1',
    '"size_bytes":1.5',
    '"created_at":-1',
    '"created_at":253402300800000',
    '"created_at":"2026"',
    '"source_type":7',
    '"capabilities":[null]',
    '"files":[null]',
    '"files":[{"path":"","role":"weights"}]',
    '"files":[{"path":"x","role":"weights","sha256":"A"}]',
    '"files":[{"path":"x","role":"weights","__proto__":{}}]',
  ]) {
    await expectRefused(sandbox, ["apply", "-"], `{${whole},${part}}`);
  }
  await expectRefused(sandbox, ["apply", "-"], '"text"');
  await expectRefused(sandbox, ["apply", "-"], "7");
  await expectRefused(sandbox, ["apply", "-"], `{"data":[${"[".repeat(5000)}`);
  await expectRefused(sandbox, ["add", "m", "--metadata", '{"__proto__":{"x":1}}']);
  expect(existsSync(sandbox.db)).toBe(false);
});

test("SQL in a text is a text", async () => {
  using sandbox = new Sandbox();
  const texts = [
    "--author-repo",
    SQL,
    "--branch",
    SQL,
    "--notes",
    SQL,
    "--metadata",
    `k=${SQL}`,
    "--alias",
    SQL,
  ];
  await sandbox.output("add", `m${SQL}`, ...texts);
  expect(await sandbox.json("show", SQL)).toMatchObject({
    model_id: `m${SQL}`,
    author_repo: SQL,
    notes: SQL,
    metadata: { k: SQL },
  });
  for (const flags of [
    ["--branch", SQL],
    ["--filter", `notes=${SQL}`],
    ["--filter", `branch~${SQL}`],
    ["--search", SQL],
  ]) {
    expect((await sandbox.json<List>("list", ...flags)).data, flags[1]).toHaveLength(1);
  }
  expect((await sandbox.json<List>("list", "--author-repo", "' OR 1=1")).data).toEqual([]);
  await expectRefused(sandbox, ["list", "--filter", `${SQL}=1`]);
  await expectRefused(sandbox, ["list", "--sort", SQL]);
  await expectRefused(sandbox, ["list", "--tag", SQL]);
  await expectRefused(sandbox, ["list", "--cursor", SQL]);
  await expectRefused(sandbox, ["history", "--kind", SQL]);
  await sandbox.output("rm", SQL, "-y");
});

test("a kind of event that a foreign program wrote cannot drive the terminal", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "m");
  const { DatabaseSync } = await import("node:sqlite");
  {
    using database = new DatabaseSync(sandbox.db);
    database.exec(`INSERT INTO model_event (model_id, kind, actor, at, row_version, after)
      VALUES ('m', '\u001b]0;owned\u0007', 'x', 1, 2, '{}')`);
  }
  const { stdout, stderr } = await sandbox.run(["history", "m"]);
  const watcher = sandbox.start(["watch", "--after", "1"]);
  const ended = finished(watcher);
  await Promise.race([once(watcher.stdout, "data"), ended]);
  watcher.kill("SIGINT");
  const watched = await ended;
  // oxlint-disable-next-line no-control-regex -- nothing that drives the terminal may come through
  expect(stdout + stderr + watched.stdout + watched.stderr).not.toMatch(/[\u0007\u001b]/);
  expect(stdout + stderr).toContain("owned");
});

test("what one asks for cannot drive the terminal that shows that it is not there", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "m");
  for (const verb of ["show", "update", "alias", "tag", "rm", "start", "stop", "ps", "history"]) {
    const extra = { update: ["--notes", "x"], alias: ["y"], tag: ["+y"], rm: ["-y"] }[verb] ?? [];
    await expectRefused(sandbox, [verb, ...extra, "--", "evil\u001b[2J\u202e"]);
    await expectRefused(sandbox, [verb, ...extra, "--", HUGE]);
  }
  await expectRefused(sandbox, ["\u001b[2J"]);
  await expectRefused(sandbox, ["list", "--\u001b[2J"]);
  await expectRefused(sandbox, ["--db", "no/\u001b[2J/db", "show", "x"]);
  await expectRefused(sandbox, ["apply", "no/\u001b[2J.ndjson"]);
});
