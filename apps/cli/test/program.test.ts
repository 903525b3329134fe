import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

import { expect, test } from "vitest";

import { declareCli } from "../src/cli.ts";
import { finished, Sandbox } from "./cortex.ts";

test("without a word, with help and with --help it explains itself, on standard output", async () => {
  using sandbox = new Sandbox();
  const { stdout, stderr, exitCode } = await sandbox.run([]);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  for (const { name } of declareCli().commands) expect(stdout).toContain(`cortex ${name}`);
  expect(await sandbox.output("help")).toBe(stdout);
  expect(await sandbox.output("--help")).toBe(stdout);
  expect(await sandbox.output("-v")).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("every verb explains each of its flags, with an example, within 100 columns", async () => {
  using sandbox = new Sandbox();
  for (const { name, options, examples } of declareCli().commands) {
    const help = await sandbox.output(name, "--help");
    for (const { rawName, description } of options) {
      expect(help).toContain(rawName);
      expect(description, rawName).not.toBe("");
    }
    expect(examples, name).not.toEqual([]);
    for (const line of help.split("\n")) expect(line.length, line).toBeLessThanOrEqual(100);
  }
});

test("help fits the terminal, its introduction too", async () => {
  using sandbox = new Sandbox();
  for (const columns of [50, 60, 80]) {
    for (const words of [["--help"], ["list", "--help"], ["update", "--help"], ["start", "--help"]]) {
      const { stdout } = await sandbox.run(words, "", { COLUMNS: String(columns) });
      // An example is one command, to be copied.
      const lines = stdout.split("\n").filter((line) => !line.startsWith("  cortex "));
      for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(columns);
    }
  }
});

test("the help of update says what is replaced, and which verb adds", async () => {
  using sandbox = new Sandbox();
  const { stdout } = await sandbox.run(["update", "--help"], "", { COLUMNS: "200" });
  expect(stdout).toMatch(/--tag <tag> .*replaces all that it has: `cortex tag` adds and removes/);
  expect(stdout).toMatch(/--capability <text> .*replaces all/);
  expect(stdout).toMatch(/--alias <alias> .*`cortex alias` keeps/);
  expect(await sandbox.output("add", "--help")).not.toContain("replaces all");
});

test("an unknown verb or flag is a misuse that names the nearest right one", async () => {
  using sandbox = new Sandbox();
  const misuses: readonly [string[], string][] = [
    [["lsit"], "Did you mean list?"],
    [["hsitory"], "Did you mean history?"],
    [["models", "strat"], "Did you mean start?"],
    [["list", "--sorce-type", "local"], "Did you mean --source-type?"],
    [["list", "--source-type", "hugginface"], "Did you mean huggingface?"],
    [["list", "--availability", "presnt"], "Did you mean present?"],
    [["list", "--status", "runing"], "Did you mean running?"],
    [["list", "--filter", "size_byte>1"], "Did you mean size_bytes?"],
    [["list", "--filter", "tag=chat"], "use --tag"],
    [["list", "--sort", "metadata"], "knows no field"],
    [["list", "--filter", "size_bytes"], "needs a field"],
    [["list", "--filter", "size_bytes>big"], "a size such as 4.7GB"],
    [["list", "--filter", "created_at>1969-01-01"], "a time such as"],
    [["list", "--filter", "pinned=maybe"], "true or false"],
    [["list", "--sort", "sise_bytes"], "Did you mean size_bytes?"],
    [["list", "--sort", "size_bytes:down"], "asc or desc"],
    [["list", "--limit", "x"], "--limit needs a whole number, 1 to 1000"],
    [["list", "--limit", "0"], "--limit needs a whole number, 1 to 1000"],
    [["history", "--limit", "1001"], "--limit needs a whole number, 1 to 1000"],
    [["list", "--filter", "size_bytes~4"], "~ (contains) is for texts, and size_bytes is none"],
    [["list", "--filter", "status~ready"], "is for texts"],
    [["add", "m", "--capability", "x\u001b"], "is no capability"],
    [["list", "--cursor", "nonsense"], "cursor"],
    [["history", "--kind", "tgged"], "Did you mean tagged?"],
    [["add", "m", "--metadata", "novalue"], "key=text"],
    [["add", "m", "--metadata", "k:=nojson"], "is no JSON"],
    [["search"], "<text> is missing: cortex search <text>...\n"],
    [["show"], "<models> is missing: cortex show <models>...\n"],
    [["mv", "a"], "<folder> is missing: cortex mv <model> <folder>.\n"],
    [["start", "m", "--ttl", "99999999d"], "a duration from 1s to 30d"],
    [["completion"], "For which shell?"],
    [["completion", "fihs"], "Did you mean fish?"],
    [["migrate", "upp"], "Did you mean up?"],
    [["--db", "", "list"], "--db"],
  ];
  await sandbox.output("add", "m");
  for (const [args, message] of misuses) {
    const result = await sandbox.run(args);
    expect(result, args.join(" ")).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringContaining(message),
    });
    expect(result.stderr.trimEnd().split("\n"), args.join(" ")).toHaveLength(1);
  }
});

test("with --json an error is an object with its code", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "m");
  const { stderr, stdout, exitCode } = await sandbox.run(["show", "x", "--json"]);
  expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 3 });
  expect(JSON.parse(stderr)).toEqual({
    error: { code: "model_not_found", message: expect.stringContaining('"x"') },
  });
});

test("a file that is no registry, or a newer one, is refused and left alone", async () => {
  using sandbox = new Sandbox();
  writeFileSync(sandbox.db, "not a database at all, ".repeat(100));
  for (const args of [["list"], ["add", "m"]])
    expect(await sandbox.run(args)).toMatchObject({ exitCode: expect.any(Number), stdout: "" });
  expect((await sandbox.run(["list"])).exitCode).not.toBe(0);
  expect((await sandbox.run(["list", "--db", sandbox.folder])).exitCode).toBe(2);
  expect((await sandbox.run(["list", "--db", "postgres://localhost/x"])).exitCode).toBe(2);
});

test("a file that is no registry is refused with what to do instead", async () => {
  using sandbox = new Sandbox();
  const make = (name: string, sql: string): string => {
    using database = new DatabaseSync(sandbox.path(name));
    database.exec(sql);
    return sandbox.path(name);
  };
  const other = make("other.db", "create table thing (x)");
  const old = make("the old one's.db", "create table models (model_id text)");
  expect(await sandbox.run(["list", "--db", other])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/another program\. .*--db or CORTEX_DB names the registry\.\n$/),
  });
  const { stderr } = await sandbox.run(["add", "m", "--db", "the old one's.db"]);
  const quoted = `'${old.replace("'", `'\\''`)}'`;
  expect(stderr).toContain(
    ` \`cortex-migrate --from ${quoted}\` brings its models into a registry; \`cortex-migrate --in-place ${quoted}\` makes a registry of the file itself, which the old program can go on using. --db or CORTEX_DB names the registry.`,
  );
  expect(stderr.match(/--from/g)).toHaveLength(1);
  expect((await sandbox.run(["list"], "", { CORTEX_DB: old })).stderr).toContain("`cortex-migrate --from '");
});

test("before the schema goes down it is said what the old program in the same file loses", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "m");
  const loses = /old cortex program uses the same file: it finds no model/;
  const down = ["migrate", "down", "--to", "5", "--dry-run"];
  expect((await sandbox.run(down)).stderr).not.toMatch(loses);
  const database = new DatabaseSync(sandbox.db);
  database.exec("CREATE TABLE schema_version (version INTEGER)");
  database.close();
  expect((await sandbox.run(down)).stderr).toMatch(loses);
  const latest = ["migrate", "down", "--to", "6", "--dry-run"];
  expect((await sandbox.run(latest)).stderr).not.toMatch(loses);
});

test("the schema goes down and up again, and reading an older one brings it up", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "m");
  const { version, latest } = await sandbox.json("migrate");
  expect(version).toBe(latest);
  expect(await sandbox.run(["migrate", "down"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("-y"),
  });
  const dry = await sandbox.run(["migrate", "down", "--to", "0", "--dry-run"]);
  expect(dry).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("the only model.") });
  expect(dry.stderr).toContain(`Would go from version ${String(latest)} to 0\n`);
  expect(await sandbox.json("migrate")).toMatchObject({ version: latest });
  const down = await sandbox.run(["migrate", "down", "-y"]);
  expect(down).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("These go") });
  expect(down.stderr).toContain("brings it up again");
  expect(await sandbox.json("migrate", "status")).toMatchObject({ version: (latest as number) - 1 });
  expect(await sandbox.run(["migrate", "up", "--to", "99"])).toMatchObject({ exitCode: 2 });
  expect(await sandbox.run(["migrate", "down", "--to", "99", "-y"])).toMatchObject({ exitCode: 2 });
  const read = await sandbox.run(["list", "-q"]);
  expect(read).toMatchObject({ exitCode: 0, stdout: "m\n" });
  expect(read.stderr).toContain(`brought from schema version ${(latest as number) - 1} to ${String(latest)}`);
  expect(await sandbox.run(["list", "-q"])).toMatchObject({ stdout: "m\n", stderr: "" });
  expect(await sandbox.output("migrate", "up", "-q")).toBe(`${String(latest)}\n`);
});

test("a reader that goes away is no error", async () => {
  using sandbox = new Sandbox();
  for (let index = 0; index < 3; index += 1) await sandbox.output("add", `${"m".repeat(1000)}${index}`);
  const child = sandbox.start(["watch", "--after", "0", "--json"]);
  const ended = finished(child);
  child.stdout.once("data", () => child.stdout.destroy());
  await once(child.stdout, "close");
  await sandbox.output("tag", `${"m".repeat(1000)}0`, "+new");
  expect(await ended).toMatchObject({ exitCode: 0, stderr: "" });
});

// A disk without room, where the system has one to try.
const FULL = "/dev/full";

test.skipIf(!existsSync(FULL))(
  "an output that takes no more is said in one line, with exit code 1",
  async () => {
    using sandbox = new Sandbox();
    await sandbox.output("add", "m");
    const says =
      "cortex: Standard output cannot be written: there is no space left: free some, or name a file elsewhere.\n";
    for (const words of [["list"], ["export"], ["show", "m"], ["list", "--help"], ["--version"]]) {
      expect(sandbox.runRedirected(`>${FULL}`, words)).toEqual({ exitCode: 1, stdout: "", stderr: says });
    }
    const { exitCode, stderr } = sandbox.runRedirected(`>${FULL}`, ["list", "--json"]);
    expect(JSON.parse(stderr)).toEqual({ error: { code: "disk_full", message: says.slice(8, -1) } });
    expect(exitCode).toBe(1);
  },
);

test.skipIf(!existsSync(FULL))("what is done is done, also where nothing can be said of it", async () => {
  using sandbox = new Sandbox();
  expect(sandbox.runRedirected(`2>${FULL}`, ["add", "m"])).toMatchObject({ exitCode: 0 });
  expect(await sandbox.output("list", "-q")).toBe("m\n");
});

test("a change waits for another program that holds the registry for a while", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "m");
  using other = new DatabaseSync(sandbox.db);
  other.exec("begin immediate");
  const release = setTimeout(() => other.exec("commit"), 6000);
  expect(await sandbox.run(["tag", "m", "+late"])).toMatchObject({ exitCode: 0 });
  clearTimeout(release);
  expect(await sandbox.output("tag", "m")).toBe("late\n");
});

test("whoever wants to undo something is told which verb goes back", async () => {
  using sandbox = new Sandbox();
  const { exitCode, stderr } = await sandbox.run(["undo"]);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^cortex: There is no verb "undo": `cortex restore --at <time>` goes back\./);
});
