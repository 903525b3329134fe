import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { text as readText } from "node:stream/consumers";

import { expect, test } from "vitest";

import { Sandbox, type List } from "./cortex.ts";

/** Writes records as a file of lines, and gives its name. */
function file(sandbox: Sandbox, records: readonly object[]): string {
  const name = sandbox.path("models.ndjson");
  writeFileSync(name, records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  return name;
}

/** An export without what a registry counts for itself. */
function forget(text: string): string {
  return text.replaceAll(/"(?:row_checksum|row_version)":[^,]+/g, "");
}

const FILES = [
  {
    path: "models/a.gguf",
    role: "weights",
    size_bytes: 5,
    sha256: "0".repeat(64),
    verified_at: 7,
    source: "https://example.org/a",
  },
];

test("what is exported and applied elsewhere is the same, and applying it again changes nothing", async () => {
  using sandbox = new Sandbox();
  const records = [
    {
      model_id: "a",
      source_type: "local",
      alias: "x",
      aliases: ["y", "z"],
      tags: ["chat"],
      metadata: { n: { m: 1 } },
      files: FILES,
    },
    {
      model_id: "b",
      source_type: "huggingface",
      alias: null,
      branch: "007",
      created_at: 5,
      updated_at: 6,
      size_bytes: 0,
      pinned: true,
    },
  ];
  expect(await sandbox.json("apply", file(sandbox, records))).toEqual({
    dry_run: false,
    created: ["a", "b"],
    updated: [],
    deleted: [],
    kept: [],
    unchanged: 0,
  });
  const exported = await sandbox.output("export");
  const lines = exported
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toMatchObject([records[0], { ...records[1], files: [] }]);
  await sandbox.output("export", "all.ndjson");
  expect(readFileSync(sandbox.path("all.ndjson"), "utf8")).toBe(exported);
  expect(await sandbox.json("apply", "all.ndjson")).toMatchObject({ created: [], updated: [], unchanged: 2 });
  const elsewhere = ["--db", "other.db"];
  await sandbox.output("apply", "all.ndjson", ...elsewhere);
  expect(forget(await sandbox.output("export", ...elsewhere))).toBe(forget(exported));
});

test("a record changes what it names and leaves the rest", async () => {
  using sandbox = new Sandbox();
  await sandbox.output(
    "apply",
    file(sandbox, [
      {
        model_id: "a",
        source_type: "local",
        notes: "keep",
        metadata: { x: 1, y: { z: 2, w: 3 } },
        files: FILES,
      },
    ]),
  );
  const changed = await sandbox.json(
    "apply",
    file(sandbox, [{ model_id: "a", metadata: { y: { z: 5 } }, files: [] }]),
  );
  expect(changed).toMatchObject({ updated: [{ model_id: "a", fields: ["metadata"] }] });
  const [record] = (await sandbox.output("export"))
    .split("\n")
    .map((line) => (line === "" ? undefined : (JSON.parse(line) as object)));
  expect(record).toMatchObject({ notes: "keep", metadata: { y: { z: 5 } }, files: [] });
  expect(record).not.toHaveProperty("metadata.x");
});

test("a list or a document that list --json wrote is applied, too, also from standard input", async () => {
  using sandbox = new Sandbox();
  expect(
    await sandbox.run(
      ["apply", "-"],
      '[{"model_id":"a","source_type":"local"},\n {"model_id":"b","source_type":"local"}]',
    ),
  ).toMatchObject({ exitCode: 0 });
  const document = await sandbox.output("list", "--json");
  const again = await sandbox.run(["apply", "-", "--json"], document);
  expect(JSON.parse(again.stdout)).toMatchObject({ unchanged: 2 });
  expect(
    await sandbox.run(
      ["apply", "-"],
      '\ufeff\r\n{"model_id":"c","source_type":"local","notes":"\u2028"}\r\n',
    ),
  ).toMatchObject({ exitCode: 2 });
  expect(
    await sandbox.run(["apply", "-"], '\ufeff{"model_id":"c","source_type":"local"}\r\n\r\n'),
  ).toMatchObject({ exitCode: 0 });
});

test("two models can swap their names", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "a", "--alias", "x");
  await sandbox.output("add", "b", "--alias", "y");
  await sandbox.output(
    "apply",
    file(sandbox, [
      { model_id: "a", alias: "y" },
      { model_id: "b", alias: "x" },
    ]),
  );
  expect((await sandbox.json<List>("list", "--sort", "model_id")).data).toMatchObject([
    { alias: "y" },
    { alias: "x" },
  ]);
  // b does not say that it gives x away.
  const taken = await sandbox.run([
    "apply",
    file(sandbox, [
      { model_id: "a", alias: "x" },
      { model_id: "b", notes: "n" },
    ]),
  ]);
  expect(taken).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("line 2") });
  expect(await sandbox.run(["apply", file(sandbox, [{ model_id: "a", alias: "x" }])])).toMatchObject({
    exitCode: 4,
  });
  expect(await sandbox.json("show", "x")).toMatchObject({ model_id: "b", notes: null });
});

test("with --prune what the file does not name goes, after a yes", async () => {
  using sandbox = new Sandbox();
  for (const id of ["a", "b", "c"]) await sandbox.output("add", id);
  const only = file(sandbox, [
    { model_id: "a", source_type: "local" },
    { model_id: "d", source_type: "local", alias: "b" },
  ]);
  const planned = await sandbox.run(["apply", only, "--prune", "--dry-run"]);
  expect(planned).toMatchObject({
    exitCode: 0,
    stderr: "- b\n- c\n+ d\nWould be: 1 created, 0 updated, 2 deleted, 1 unchanged\n",
  });
  expect(await sandbox.run(["apply", only, "--prune"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("-y"),
  });
  expect(await sandbox.output("list", "-q")).toBe("c\nb\na\n");
  await sandbox.output("start", "c");
  expect(await sandbox.run(["apply", only, "--prune", "-y"])).toMatchObject({ exitCode: 4 });
  expect(await sandbox.output("list", "-q")).toBe("c\nb\na\n");
  await sandbox.output("stop", "c");
  expect(await sandbox.output("apply", only, "--prune", "-y", "-q")).toBe("d\nb\nc\n");
  expect(await sandbox.output("list", "-q")).toBe("d\na\n");
});

test("a file with one bad record changes nothing and says which", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "a");
  const good = { model_id: "b", source_type: "local" };
  const bad: readonly [object | string, RegExp][] = [
    [{ model_id: "c", source_type: "local", size_bytes: -1 }, /line 2: size_bytes/],
    [{ model_id: "c", source_type: "nowhere" }, /line 2: source_type/],
    [
      { model_id: "c", source_type: "local", sizebytes: 1 },
      /line 2: there is no field "sizebytes"\. Did you mean size_bytes\?/,
    ],
    [{ model_id: "c" }, /line 2: source_type is missing/],
    [{ source_type: "local" }, /line 2: model_id is missing/],
    [{ model_id: 7, source_type: "local" }, /line 2: model_id/],
    [{ model_id: "c", source_type: "local", files: [{ path: "x" }] }, /line 2: role/],
    [{ model_id: "c", source_type: "local", files: "x" }, /line 2: files must be a list/],
    [{ model_id: "b", source_type: "local" }, /line 2: "b" is there twice/],
    [{ model_id: "c", source_type: "local", alias: "a" }, /line 2: .*"a"/],
    ["[1]", /line 2 is no JSON object/],
    ['{"model_id":"c"', /line 2 is no JSON object/],
  ];
  for (const [record, message] of bad) {
    const text = typeof record === "string" ? record : JSON.stringify(record);
    const result = await sandbox.run(["apply", "-"], `${JSON.stringify(good)}\n${text}\n`);
    expect(result.stderr, text).toMatch(message);
    expect([2, 4], text).toContain(result.exitCode);
  }
  expect(await sandbox.output("list", "-q")).toBe("a\n");
});

test("a dry run leaves an older schema as it is", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "a");
  await sandbox.output("migrate", "down", "-y");
  const { version } = await sandbox.json("migrate");
  const records = file(sandbox, [{ model_id: "b", source_type: "local" }]);
  expect(await sandbox.run(["apply", records, "--dry-run"])).toMatchObject({
    exitCode: 1,
    stdout: "",
    stderr: expect.stringMatching(/has schema \d+, older than \d+\. .*`cortex migrate up` does that\.\n$/),
  });
  expect(await sandbox.json("migrate")).toMatchObject({ version });
});

test("a file that is refused leaves no registry behind, and one that is missing is not found", async () => {
  using sandbox = new Sandbox();
  expect(await sandbox.run(["apply", "-"], '{"model_id":""}')).toMatchObject({ exitCode: 2 });
  expect(await sandbox.run(["apply", "-"], "\u0000\u0001")).toMatchObject({ exitCode: 2 });
  expect(
    await sandbox.run(["apply", file(sandbox, [{ model_id: "a", source_type: "local" }]), "--dry-run"]),
  ).toMatchObject({ exitCode: 0, stderr: expect.stringContaining("+ a") });
  expect(await sandbox.run(["apply", "missing.ndjson"])).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining("missing.ndjson"),
  });
  writeFileSync(sandbox.path("latin1"), Buffer.from([0x7b, 0xe9, 0x7d]));
  expect(await sandbox.run(["apply", "latin1"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("UTF-8"),
  });
  expect(existsSync(sandbox.db)).toBe(false);
});

test("an export that cannot be finished leaves nothing half-written", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "a");
  expect((await sandbox.run(["export", "missing/all.ndjson"])).exitCode).toBe(3);
  expect(readdirSync(sandbox.folder).filter((name) => name.includes("part"))).toEqual([]);
});

test("an export never writes over the registry, whichever way it is named", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "a");
  symlinkSync(sandbox.db, sandbox.path("link"));
  for (const name of [
    "registry.db",
    sandbox.db,
    "./../" + sandbox.db.split("/").slice(-2).join("/"),
    "link",
  ]) {
    expect(await sandbox.run(["export", name]), name).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringContaining("registry itself"),
    });
  }
  expect(await sandbox.output("list", "-q")).toBe("a\n");
});

test("an export writes what a link points to, streams into a pipe, and refuses a folder in words", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "a");
  writeFileSync(sandbox.path("target"), "old");
  symlinkSync("target", sandbox.path("link"));
  await sandbox.output("export", "link");
  expect(lstatSync(sandbox.path("link")).isSymbolicLink()).toBe(true);
  expect(readFileSync(sandbox.path("target"), "utf8")).toContain('"model_id":"a"');
  mkdirSync(sandbox.path("folder"));
  expect(await sandbox.run(["export", "folder"])).toMatchObject({
    exitCode: 2,
    stderr: 'cortex: "folder" is a folder: name a file in it.\n',
  });
  expect(await sandbox.run(["apply", "folder"])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("folder: name a file"),
  });
  expect(await sandbox.run(["export", "missing/all.ndjson"])).toMatchObject({
    exitCode: 3,
    stderr: 'cortex: "missing/all.ndjson": there is no such file or folder.\n',
  });
  expect(await sandbox.run(["apply", "missing.ndjson"])).toMatchObject({
    exitCode: 3,
    stderr: 'cortex: "missing.ndjson": there is no such file or folder.\n',
  });
});

test.skipIf(process.platform === "win32")("an export into a named pipe reaches its reader", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "a");
  expect(spawnSync("mkfifo", [sandbox.path("pipe")]).status).toBe(0);
  const reader = spawn("cat", [sandbox.path("pipe")]);
  const [result, read] = await Promise.all([sandbox.run(["export", "pipe"]), readText(reader.stdout)]);
  expect(result).toMatchObject({ exitCode: 0, stderr: "1 model in pipe\n" });
  expect(read).toContain('"model_id":"a"');
  expect(lstatSync(sandbox.path("pipe")).isFIFO()).toBe(true);
});

test("an empty file, which a failed program before a pipe leaves, prunes nothing", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "a");
  for (const input of ["", "\n", "[]", '{"data":[]}']) {
    expect(await sandbox.run(["apply", "-", "--prune", "-y"], input), input).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("names no model"),
    });
  }
  expect(await sandbox.output("list", "-q")).toBe("a\n");
  expect(await sandbox.run(["apply", "-", "--prune", "-y", "--db", "new.db"])).toMatchObject({ exitCode: 0 });
});

test("a pinned model is not pruned, and that is said", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "a", "--pinned");
  await sandbox.output("add", "b");
  const only = file(sandbox, [{ model_id: "c", source_type: "local" }]);
  expect(await sandbox.run(["apply", only, "--prune", "--dry-run"])).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining("= a (pinned, so it stays)\n"),
  });
  expect(await sandbox.json("apply", only, "--prune", "-y")).toMatchObject({
    created: ["c"],
    deleted: ["b"],
    kept: ["a"],
  });
  expect(await sandbox.output("list", "-q")).toBe("c\na\n");
});
