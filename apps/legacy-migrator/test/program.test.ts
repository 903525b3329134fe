import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { openRegistry } from "@cortex/model-db";
import { beforeEach, describe, expect, test, vi } from "vitest";

import { contentsOf } from "./contents-of.ts";
import { writeCortexDb, writeFile, writeModelList } from "./old-data.ts";
import { registryModels } from "./registry-models.ts";
import { runProgram, runRedirected, startProgram } from "./run-program.ts";
import { temporaryFolder } from "./temporary-folder.ts";

// Each test starts several processes, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

// A disk without room, where the system has one to try.
const FULL = "/dev/full";

let home: string;
let data: string;
let to: string;
beforeEach(() => {
  home = temporaryFolder();
  data = join(home, "cortexcpp");
  to = join(home, "registry.db");
});

describe("a migration", () => {
  test("needs no argument: it finds the old data folder and the new place itself", () => {
    writeModelList(data, "a x main /1.yml one READY\n");
    const { code, out, err } = runProgram(home);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("created                1");
    expect(existsSync(join(home, ".local/share/cortex/registry.db"))).toBe(true);
  });

  test("with refused lines is done all the same: exit code 0, each with its line, text, reason and remedy", () => {
    writeModelList(data, "a x main /1.yml one READY\nno entry here\n");
    const { code, out } = runProgram(home, data, "--to", to);
    expect(code).toBe(0);
    expect(out).toMatch(/refused +1 /);
    expect(out).toMatch(/model\.list line 2: .*3 of 6 fields.*\n +no entry here\n +Write it as/);
    expect(out).toContain("1 refused");
  });

  test.skipIf(!existsSync(FULL))("that cannot say what it did is done, and says where its report is", () => {
    writeModelList(data, "a x main /1.yml one READY\n");
    const dry = runRedirected(home, `>${FULL}`, "--dry-run");
    expect(dry).toEqual({
      code: 1,
      out: "",
      err: "cortex-migrate: Nothing was changed: this was a dry run. Standard output cannot be written: the disk is full.\n",
    });
    const done = runRedirected(home, `>${FULL}`, "--json", "--to", to);
    const { error } = JSON.parse(done.err) as { error: { message: string } };
    const [, report] =
      /^The models are migrated\. The report is in (\S+)\. Standard output cannot be written: the disk is full\.$/.exec(
        error.message,
      )!;
    expect(readFileSync(report!, "utf8")).toContain('"model_id":"a"');
    expect(done.code).toBe(1);
    const backups = readdirSync(`${to}.backups`);
    // It has nothing left to do, and leaves no backup.
    expect(runRedirected(home, `>${FULL}`, "--to", to).code).toBe(1);
    expect(readdirSync(`${to}.backups`)).toEqual(backups);
    expect(runRedirected(home, `>${FULL}`, "--rollback", "-y", "--to", to)).toMatchObject({
      code: 1,
      err: `cortex-migrate: ${to} is what it was. Standard output cannot be written: the disk is full.\n`,
    });
    expect(runRedirected(home, `>${FULL}`, "--version")).toMatchObject({
      code: 1,
      err: "cortex-migrate: Standard output cannot be written: the disk is full.\n",
    });
  });

  test("prints one JSON document with --json, and nothing else", () => {
    writeModelList(data, "a x main /1.yml one READY\nbad\nb x main /2.yml one READY\n");
    const { code, out, err } = runProgram(home, data, "--to", to, "--json");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const document = JSON.parse(out) as { data: unknown[] };
    expect(document).toMatchObject({
      dry_run: false,
      data_folder: data,
      registry: to,
      changed: true,
      counts: { created: 1, already_there: 0, merged: 0, renamed: 1, refused: 1 },
      verified: { compared: 2, mismatch_count: 0, mismatches: [] },
      stores: [{ kind: "model.list" }],
    });
    expect(document.data).toMatchObject([
      { outcome: "created", store: "model.list", line: 1, model_id: "a" },
      { outcome: "refused", line: 2, text: "bad", code: "too_few_fields" },
      { outcome: "renamed", line: 3, old_alias: "one", new_alias: "one-2" },
    ]);
    expect(JSON.parse(runProgram(home, data, "--to", to, "--json", "--dry-run").out)).toMatchObject({
      dry_run: true,
      changed: false,
    });
  });

  test("of nothing is a document as well", () => {
    writeModelList(data, "");
    expect(JSON.parse(runProgram(home, data, "--to", to, "--json").out)).toMatchObject({
      data: [],
      changed: false,
    });
  });

  test("keeps its own report beside the backup", () => {
    writeModelList(data, "a x main /1.yml one READY\n");
    runProgram(home, data, "--to", to);
    const [backup] = readdirSync(`${to}.backups`);
    expect(readdirSync(join(`${to}.backups`, backup!)).toSorted()).toEqual([
      "1-model.list",
      "manifest.json",
      "report.jsonl",
    ]);
  });

  test("takes the stores that are named: a list, or a database", () => {
    writeModelList(data, "a x main /1.yml one READY\n");
    const database = writeCortexDb(data, 3, [{ model_id: "b" }]);
    expect(runProgram(home, "--from", database, "--to", to).out).toMatch(/created +1 /);
    expect(runProgram(home, join(data, "models", "model.list"), "--to", to).out).toMatch(/created +1 /);
  });
});

describe("misuse is exit code 2 with one line", () => {
  test.each([
    [["--form", "x"], /no flag --form\. Did you mean --from\?/],
    [["--jsn"], /Did you mean --json\?/],
    [["-x"], /no flag -x/],
    [["--from"], /--from needs a value/],
    [["--from", "--dry-run"], /--from needs a value/],
    [["--to="], /--to needs a value/],
    [["--dry-run=maybe"], /is a switch/],
    [["a", "b"], /Name one data folder/],
    [["brigde", "model.list"], /There is no command brigde\. Did you mean cortex-migrate bridge\?/],
    [["a", "--from", "b"], /Name the data folder once/],
    [["--to", "a", "--to", "b"], /given twice/],
    [["--rollback", "a"], /--rollback takes --to, or --in-place/],
    [["--in-place", "--to", "a"], /--in-place takes no --to/],
    [[""], /must not be empty/],
    [["--\u001b[31mred"], /\\x1b\[31mred/],
  ])("%j", (words, message) => {
    const { code, out, err } = runProgram(home, ...words);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(message);
    expect(err.trim().split("\n")).toHaveLength(1);
  });
});

test("names that look like numbers are names", () => {
  writeModelList(join(home, "007"), "a x main /1.yml one READY\n");
  const folder = join(home, "1e3");
  const { code } = runProgram(
    home,
    "--from",
    join(home, "007"),
    "--to",
    folder,
    "--report",
    join(home, "0x10"),
  );
  expect(code).toBe(0);
  expect(readdirSync(home).toSorted()).toEqual(
    ["007", "0x10", "1e3", "1e3-shm", "1e3-wal", "1e3.backups", "1e3.ballast"].filter((name) =>
      existsSync(join(home, name)),
    ),
  );
  expect(existsSync(folder)).toBe(true);
});

test("no old data is exit code 3, and says where it was looked for", () => {
  const { code, err } = runProgram(home);
  expect(code).toBe(3);
  expect(err).toContain(join(home, "cortexcpp"));
  const json = runProgram(home, join(home, "gone"), "--json");
  expect(json).toMatchObject({ code: 3, out: "" });
  expect(JSON.parse(json.err)).toMatchObject({ error: { code: "not_found" } });
});

test("a failure is exit code 1 with one line and no stack", () => {
  writeFile(join(data, "cortex.db"), "no database".repeat(500));
  const { code, err } = runProgram(home, data, "--to", to);
  expect(code).toBe(1);
  expect(err).toMatch(/not a database/);
  expect(err.trim().split("\n")).toHaveLength(1);
  expect(existsSync(to)).toBe(false);
});

test("a folder in place of the registry, or of the report, is misuse", () => {
  writeModelList(data, "a x main /1.yml one READY\n");
  expect(runProgram(home, data, "--to", home)).toMatchObject({ code: 2, out: "" });
  expect(runProgram(home, data, "--to", to, "--report", join(home, "gone", "report.jsonl"))).toMatchObject({
    code: 2,
    out: "",
  });
  expect(existsSync(to)).toBe(false);
});

test("a name from outside cannot drive the terminal", () => {
  writeModelList(
    data,
    "\u001b]0;owned\u0007\u202e x main /1.yml \u001b[2J READY\nok x main /\u009b2J.yml ok READY\nb x main /2.yml a\u001bb READY\n",
  );
  const { code, out, err } = runProgram(home, data, "--to", to);
  expect(code).toBe(0);
  // oxlint-disable-next-line no-control-regex -- they are what must not be there
  expect(out + err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(out).toContain("\\x1b]0;owned\\x07\\u202e");
});

test("help and version", () => {
  const { code, out } = runProgram(home, "--help");
  expect(code).toBe(0);
  for (const word of [
    "--from",
    "--to",
    "--dry-run",
    "--report",
    "--json",
    "--rollback",
    "-y, --yes",
    "Exit codes",
  ]) {
    expect(out).toContain(word);
  }
  expect(runProgram(home, "--version").out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("help says nothing of defaults that flags do not have", () => {
  expect(runProgram(home, "--help").out).not.toContain("(default: true)");
});

test("a file that is no old store is misuse, and so is one that is no registry", () => {
  writeModelList(data, "a x main /1.yml one READY\n");
  const text = writeFile(join(home, "passwd"), "root:x:0:0:root:/root:/bin/bash\n".repeat(24));
  const before = contentsOf(home);
  const source = runProgram(home, text, "--to", to);
  expect(source).toMatchObject({ code: 2, out: "" });
  expect(source.err).toContain("does not look like a model.list");
  const target = runProgram(home, data, "--to", text);
  expect(target.code).not.toBe(0);
  expect(target.err).toMatch(/is not a database\. .*--to names it\.\n$/);
  expect(contentsOf(home)).toEqual(before);
});

test("a dry run on a registry of an older schema says what brings it up to date, and does not", async () => {
  writeModelList(data, "a x main /1.yml one READY\n");
  {
    await using registry = await openRegistry(to);
    await registry.migrate(1);
  }
  const { code, err } = runProgram(home, data, "--to", to, "--dry-run");
  expect(code).toBe(1);
  expect(err).toContain("A migration does that, and so does `cortex migrate up`");
  await using registry = await openRegistry(to, { mode: "write", migrate: false });
  expect((await registry.schema()).version).toBe(1);
});

test("empty lines are counted, and nothing to be done about", () => {
  writeModelList(data, "a x main /1.yml one READY\r\n\r\n\r\n");
  const clean = runProgram(home, data, "--to", to).out;
  expect(clean).toMatch(/refused +2 {2}empty lines\n/);
  expect(clean).not.toContain("2 refused");
  writeModelList(data, "bad\n\n");
  const again = runProgram(home, data, "--to", to).out;
  expect(again).toMatch(/refused +2 .*see below \(and 1 empty line\)/);
  expect(again).toContain("1 refused: follow");
  expect(again).toMatch(/^From /);
});

test("a folder that cannot be made is said in words", () => {
  writeModelList(data, "a x main /1.yml one READY\n");
  const file = writeFile(join(home, "file"), "");
  const { code, err } = runProgram(home, data, "--to", join(file, "in", "registry.db"));
  expect(code).toBe(1);
  expect(err).toMatch(/cannot be used: a part of the path is no folder/);
});

describe("killed in the middle", () => {
  const COUNT = 4000;
  beforeEach(() => {
    writeModelList(
      data,
      Array.from(
        { length: COUNT },
        (_, index) => `m${index} x main /${index}.yml alias-${index % 3900} READY\n`,
      ).join(""),
    );
  });

  test("at any moment, it leaves all or nothing, and the next run ends as an undisturbed one does", async () => {
    const other = join(home, "undisturbed.db");
    expect(runProgram(home, data, "--to", other).code).toBe(0);
    const expected = await registryModels(other);
    const before = contentsOf(data);
    for (const delayMs of [250, 400, 600, 900]) {
      const child = startProgram(home, data, "--to", to);
      const exited = new Promise((done) => child.once("exit", done));
      await setTimeout(delayMs);
      child.kill("SIGKILL");
      await exited;
      expect([0, COUNT]).toContain(Object.keys(await readable(to)).length);
    }
    expect(runProgram(home, data, "--to", to).code).toBe(0);
    const models = await registryModels(to);
    expect(strip(models)).toEqual(strip(expected));
    expect(contentsOf(data)).toEqual(before);
    expect(runProgram(home, data, "--to", to, "--json").out).toContain('"changed":false');
  }, 60_000);

  test("by Ctrl-C, it says so with exit code 130 and leaves nothing", async () => {
    const child = startProgram(home, data, "--to", to);
    const exited = new Promise<number | null>((done) => child.once("exit", done));
    await waitFor(() => existsSync(`${to}-wal`));
    child.kill("SIGINT");
    expect(await exited).toBe(130);
    expect(Object.keys(await registryModels(to))).toHaveLength(0);
    expect(existsSync(`${to}.backups`)).toBe(false);
  }, 20_000);
});

describe("a rollback", () => {
  test("without a terminal and without -y is refused at once", () => {
    writeModelList(data, "a x main /1.yml one READY\n");
    runProgram(home, data, "--to", to);
    const { code, err } = runProgram(home, "--rollback", "--to", to);
    expect(code).toBe(2);
    expect(err).toContain("add -y");
    expect(existsSync(to)).toBe(true);
  });

  test("without a backup is not found", () => {
    expect(runProgram(home, "--rollback", "--to", to, "-y").code).toBe(3);
  });

  test("shows with --dry-run what it would do, and who changed what since", async () => {
    writeModelList(data, "a x main /1.yml one READY\n");
    runProgram(home, data, "--to", to);
    expect(runProgram(home, "--rollback", "--to", to, "--dry-run").out).not.toContain("changed since");
    {
      await using registry = await openRegistry(to, { actor: "ann" });
      await registry.models.create({ modelId: "later", sourceType: "local" });
      await registry.runs.acquire("later", { holder: "ann" });
    }
    const { out } = runProgram(home, "--rollback", "--to", to, "--dry-run");
    expect(out).toMatch(/changed since, last by ann at .* Models are running: 1\./);
    expect(runProgram(home, "--rollback", "--to", to, "--dry-run").out).toContain("goes away");
    expect(existsSync(to)).toBe(true);
  });

  test("takes the registry away where there was none, and keeps what it was", async () => {
    writeModelList(data, "a x main /1.yml one READY\n");
    const before = contentsOf(data);
    runProgram(home, data, "--to", to);
    const { code, out } = runProgram(home, "--rollback", "--to", to, "--yes", "--json");
    expect(code).toBe(0);
    const { before: kept } = JSON.parse(out) as { before: string };
    expect([existsSync(to), existsSync(`${to}-wal`), existsSync(`${to}-shm`)]).toEqual([false, false, false]);
    expect(Object.keys(await registryModels(kept))).toEqual(["a"]);
    expect(contentsOf(data)).toEqual(before);
    expect(runProgram(home, "--rollback", "--to", to, "-y").code).toBe(3);
    expect(runProgram(home, data, "--to", to).out).toMatch(/created +1 /);
  });

  test("says where a registry that was broken is kept", () => {
    writeModelList(data, "a x main /1.yml one READY\n");
    runProgram(home, data, "--to", to);
    writeFileSync(to, "no database".repeat(1000));
    const { code, out } = runProgram(home, "--rollback", "--to", to, "-y");
    expect(code).toBe(0);
    expect(out).toMatch(/It was no whole database; that file is kept: .*registry-broken\.db/);
  });

  test("with a damaged backup changes nothing", () => {
    writeModelList(data, "a x main /1.yml one READY\n");
    runProgram(home, data, "--to", to);
    const [name] = readdirSync(`${to}.backups`);
    writeFileSync(join(`${to}.backups`, name!, "1-model.list"), "something else");
    const before = readFileSync(to);
    const { code, err } = runProgram(home, "--rollback", "--to", to, "-y");
    expect(code).toBe(1);
    expect(err).toContain("Nothing was put back");
    expect(readFileSync(to)).toEqual(before);
  });
});

async function readable(path: string): Promise<Record<string, unknown>> {
  try {
    return await registryModels(path);
  } catch {
    // None yet, or killed before the schema was there: a file that nothing was written to yet.
    return {};
  }
}

// What is stored at a different time differs in nothing else.
function strip(models: Record<string, { rowChecksum: string }>): unknown {
  return Object.fromEntries(Object.entries(models).map(([id, model]) => [id, { ...model, rowChecksum: "" }]));
}

async function waitFor(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000 && !condition(); tries++) await setTimeout(5);
}
