import { existsSync, mkdirSync } from "node:fs";

import { expect, test } from "vitest";

import { Sandbox, type List } from "./cortex.ts";

const MISTRAL = "TheBloke:Mistral-7B:q4.gguf";

async function withTwoModels(sandbox: Sandbox): Promise<void> {
  await sandbox.output(
    "add",
    MISTRAL,
    "--source-type",
    "huggingface",
    "--author-repo",
    "TheBloke/Mistral-7B",
    "--size-bytes",
    "4.1GB",
    "--tag",
    "chat",
    "--tag",
    "big",
    "--alias",
    "mistral",
    "--branch",
    "007",
  );
  await sandbox.output(
    "add",
    "tinyllama:1b-gguf",
    "--source-type",
    "cortex.so",
    "--size-bytes",
    "669MB",
    "--tag",
    "chat",
  );
}

test("a model that was added is listed, shown and found", async () => {
  using sandbox = new Sandbox();
  const added = await sandbox.run([
    "add",
    MISTRAL,
    "--size-bytes",
    "4.1GB",
    "--alias",
    "mistral",
    "--metadata",
    "a=007",
    "--metadata",
    'b:={"c":[1]}',
  ]);
  expect(added).toEqual({ exitCode: 0, stdout: "", stderr: `Added ${MISTRAL} as mistral\n` });
  expect(await sandbox.output("list", "-q")).toBe(`${MISTRAL}\n`);
  expect(await sandbox.output("list")).toMatch(
    /^MODEL +ALIAS .*\nTheBloke:Mistral-7B:q4.gguf +mistral +local +4.1 GB +ready +missing/,
  );
  expect(await sandbox.output("search", "istr", "q4", "-q")).toBe(`${MISTRAL}\n`);
  expect(await sandbox.output("search", "llama")).toBe("");
  const shown = await sandbox.json("show", "mistral");
  expect(Object.keys(shown)).toEqual([
    "model_id",
    "source_type",
    "author_repo",
    "branch",
    "config_path",
    "alias",
    "aliases",
    "status",
    "created_at",
    "updated_at",
    "availability",
    "engine",
    "format",
    "architecture",
    "quantization",
    "parameter_count",
    "context_length",
    "size_bytes",
    "capabilities",
    "metadata",
    "tags",
    "notes",
    "pinned",
    "owner",
    "private",
    "last_used_at",
    "row_version",
    "row_checksum",
  ]);
  expect(shown).toMatchObject({
    model_id: MISTRAL,
    size_bytes: 4_100_000_000,
    status: 0,
    metadata: { a: "007", b: { c: [1] } },
  });
  expect(await sandbox.output("show", MISTRAL)).toContain("size_bytes    4.1 GB (4100000000 bytes)\n");
});

test("every filter of a list chooses by its field", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  const ids = async (...flags: string[]): Promise<string> =>
    (await sandbox.output("list", "-q", ...flags))
      .replace(MISTRAL, "M")
      .replace("tinyllama:1b-gguf", "T")
      .replaceAll("\n", "");
  expect(await ids()).toBe("TM");
  expect(await ids("--source-type", "huggingface")).toBe("M");
  expect(await ids("--source-type", "huggingface", "--source-type", "cortex.so")).toBe("TM");
  expect(await ids("--branch", "007")).toBe("M");
  expect(await ids("--branch", "7")).toBe("");
  expect(await ids("--author-repo", "")).toBe("T");
  expect(await ids("--tag", "chat", "--tag", "big")).toBe("M");
  expect(await ids("--any-tag", "big", "--any-tag", "none")).toBe("M");
  expect(await ids("--tag", "chat", "--no-tag", "big")).toBe("T");
  expect(await ids("--filter", "size_bytes>4GB")).toBe("M");
  expect(await ids("--filter", "size_bytes > 600MB", "--filter", "size_bytes<=669MB")).toBe("T");
  expect(await ids("--filter", "author_repo~theb")).toBe("M");
  expect(await ids("--filter", "author-repo!=")).toBe("M");
  expect(await ids("--filter", "created_at>1h", "--filter", "pinned=false")).toBe("TM");
  expect(await ids("--filter", "created_at<2020-01-01")).toBe("");
  expect(await ids("--status", "running")).toBe("");
  expect(await ids("--status", "0", "--availability", "missing")).toBe("TM");
  expect(await ids("--sort", "size_bytes")).toBe("TM");
  expect(await ids("--sort", "size_bytes:desc")).toBe("MT");
});

test("a list is paged by its cursor and counted on request", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  const first = await sandbox.json<List>("list", "--limit", "1", "--total");
  expect(first).toMatchObject({
    data: [{ model_id: "tinyllama:1b-gguf" }],
    next_cursor: expect.any(String),
    total: 2,
  });
  const second = await sandbox.json<List>("ls", "--limit", "1", "--cursor", first.next_cursor!);
  expect(second).toMatchObject({ data: [{ model_id: MISTRAL }], next_cursor: null });
  expect(second).not.toHaveProperty("total");
  const forPeople = await sandbox.run(["list", "--limit", "1", "--total"]);
  expect(forPeople.stderr).toBe(
    `2 models in all\nThere are more: the same command with --cursor ${first.next_cursor}\n`,
  );
});

test("a table fits COLUMNS, and is not shortened where nobody says how wide it may be", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  const { stdout } = await sandbox.run(["list"], "", { COLUMNS: "60" });
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(60);
  expect(await sandbox.output("list")).toContain(MISTRAL);
});

test("colours come only when they are asked for or seen", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  expect(await sandbox.output("list")).not.toContain("\u001b");
  expect((await sandbox.run(["list"], "", { FORCE_COLOR: "1" })).stdout).toContain("\u001b[1mMODEL");
  expect((await sandbox.run(["list", "--no-color"], "", { FORCE_COLOR: "1" })).stdout).not.toContain(
    "\u001b",
  );
});

test("a beginning that only one model has is enough to show it, and an ambiguous one lists the candidates", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  await sandbox.output("add", "tinystories", "--no-alias");
  const short = await sandbox.run(["show", "mis", "-q"]);
  expect(short).toEqual({ exitCode: 0, stdout: `${MISTRAL}\n`, stderr: `mis is short for ${MISTRAL}\n` });
  const ambiguous = await sandbox.run(["show", "tiny"]);
  expect(ambiguous).toMatchObject({ exitCode: 3, stdout: "" });
  expect(ambiguous.stderr).toBe(
    'cortex: "tiny" could be several models:\n  tinyllama:1b-gguf\n  tinystories\n',
  );
  const mistyped = await sandbox.run(["show", "tinystoreis"]);
  expect(mistyped).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining("Did you mean tinystories?"),
  });
  const inside = await sandbox.run(["show", "q4.gguf"]);
  expect(inside).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(`\n  ${MISTRAL}\n`) });
  expect(await sandbox.json("show", MISTRAL, "tinystories")).toMatchObject({
    data: [{}, {}],
    next_cursor: null,
  });
});

test("only what flags name is updated, and an empty value clears", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  const update = async (...flags: string[]): Promise<Record<string, unknown>> =>
    sandbox.json("update", "mistral", ...flags);
  expect(await update("--notes", "007", "--pinned", "--metadata", "a=1")).toMatchObject({
    notes: "007",
    pinned: true,
    branch: "007",
    row_version: 2,
  });
  expect(
    await update("--branch", "", "--size-bytes", "", "--metadata", "a:=null", "--no-pinned"),
  ).toMatchObject({
    branch: null,
    size_bytes: null,
    metadata: {},
    pinned: false,
    notes: "007",
  });
  expect(await update("--tag", "only", "--alias", "")).toMatchObject({ tags: ["only"], alias: null });
  expect(await sandbox.run(["update", MISTRAL])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("Nothing to change"),
  });
});

test("a change of what somebody else has changed meanwhile is refused", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  await sandbox.output("update", "mistral", "--notes", "theirs", "--expected-row-version", "1");
  const late = await sandbox.run(["update", "mistral", "--notes", "mine", "--expected-row-version", "1"]);
  expect(late).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("changed meanwhile") });
  expect(await sandbox.json("show", "mistral")).toMatchObject({ notes: "theirs" });
});

test("aliases are given, added and taken away", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  expect(await sandbox.run(["alias", "mistral", "007"])).toMatchObject({
    stderr: `${MISTRAL} is now also 007; its other names: mistral\n`,
  });
  // Somebody may use the old name.
  expect(await sandbox.json("show", "mistral")).toMatchObject({ alias: "007", aliases: ["mistral"] });
  // The one that was first goes behind the other again.
  expect(await sandbox.run(["alias", "007", "mistral"])).toMatchObject({
    stderr: `${MISTRAL} is now also mistral; its other names: 007\n`,
  });
  expect(await sandbox.run(["alias", "mistral", "007", "--remove", "mistral"])).toMatchObject({
    stderr: `${MISTRAL} is now also 007; no longer: mistral\n`,
  });
  expect(await sandbox.json("alias", "007", "--add", "best")).toMatchObject({
    alias: "007",
    aliases: ["best"],
  });
  expect(await sandbox.run(["alias", "best", "--remove", "007"])).toMatchObject({
    stderr: `${MISTRAL} is also best; no longer: 007\n`,
  });
  expect(await sandbox.json("show", "best")).toMatchObject({ alias: null, aliases: ["best"] });
  expect(await sandbox.run(["alias", "best", "--remove", "best"])).toMatchObject({
    stderr: `${MISTRAL} has no alias now; no longer: best\n`,
  });
  expect(await sandbox.run(["show", "007"])).toMatchObject({ exitCode: 3 });
});

test("an alias moves in one step from the model that has it", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  const taken = await sandbox.run(["alias", "tinyllama:1b-gguf", "mistral"]);
  expect(taken).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("mistral") });
  await sandbox.output("alias", "tinyllama:1b-gguf", "--repoint", "mistral", "--add", "tiny");
  expect(await sandbox.json("show", "mistral")).toMatchObject({ model_id: "tinyllama:1b-gguf" });
  expect(await sandbox.json("alias", MISTRAL)).toMatchObject({ alias: null, aliases: [] });
  expect((await sandbox.output("alias", "tiny")).split("\n")).toEqual(
    expect.arrayContaining(["mistral", "tiny"]),
  );
  // All at once or not at all: the first part of it would have worked.
  const refused = await sandbox.run(["alias", "tiny", "--remove", "tiny", "--add", MISTRAL]);
  expect(refused.exitCode).toBe(4);
  expect(await sandbox.json("show", "tiny")).toMatchObject({ model_id: "tinyllama:1b-gguf" });
});

test("a repointed alias says which model had it, and one that nobody had that it is new", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  expect(await sandbox.run(["alias", "tinyllama:1b-gguf", "--repoint", "mistral"])).toMatchObject({
    exitCode: 0,
    stderr: `tinyllama:1b-gguf is now also mistral (taken from ${MISTRAL})\n`,
  });
  expect(await sandbox.run(["alias", "tinyllama:1b-gguf", "--repoint", "mistrla"])).toMatchObject({
    exitCode: 0,
    stderr: "tinyllama:1b-gguf is now also mistrla (a new alias); its other names: mistral\n",
  });
  expect(await sandbox.run(["alias", "tinyllama:1b-gguf", "--repoint", "mistral"])).toMatchObject({
    exitCode: 0,
    stderr: "tinyllama:1b-gguf is also mistral, mistrla\n",
  });
});

test("an update that replaces the alias says which name is gone", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  expect(await sandbox.run(["update", "mistral", "--alias", "m7"])).toMatchObject({
    stderr: `Updated ${MISTRAL}; mistral does not mean it any more\n`,
  });
  const notes = ["update", "m7", "--notes", "x"];
  expect(await sandbox.run(notes)).toMatchObject({ stderr: `Updated ${MISTRAL}\n` });
  expect(await sandbox.run(notes)).toMatchObject({
    exitCode: 0,
    stderr: `Nothing to change in ${MISTRAL}\n`,
  });
});

test("tags are added with + and taken away with -", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  expect(await sandbox.json("tag", "mistral", "+new", "-big", "bare")).toMatchObject({
    tags: ["chat", "new", "bare"],
  });
  expect(await sandbox.output("tag", "mistral")).toBe("chat\nnew\nbare\n");
  expect(await sandbox.json("tag", "mistral", "--remove", "chat")).toMatchObject({ tags: ["new", "bare"] });
  expect(await sandbox.run(["tag", "mistral", "+"])).toMatchObject({ exitCode: 2 });
});

test("a model is deleted only with a yes, all of the named ones or none", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  const unasked = await sandbox.run(["rm", "mistral"]);
  expect(unasked).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringContaining("-y") });
  const dry = await sandbox.run(["rm", "mistral", "--dry-run"]);
  expect(dry).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`  ${MISTRAL} (4.1 GB)\n`) });
  expect(await sandbox.run(["rm", "mistral", "nobody", "-y"])).toMatchObject({ exitCode: 3 });
  // What is not there needs no yes.
  expect(await sandbox.run(["rm", "nobody"])).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('"nobody"'),
  });
  expect(await sandbox.output("list", "-q")).toContain(MISTRAL);
  expect(await sandbox.json("remove", "mistral", MISTRAL, "-y")).toMatchObject({
    data: [{ model_id: MISTRAL }],
  });
  expect(await sandbox.output("list", "-q")).toBe("tinyllama:1b-gguf\n");
});

test("an id that begins with a dash works behind two dashes", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "--no-alias", "--", "-rf");
  expect(await sandbox.output("show", "-q", "--", "-rf")).toBe("-rf\n");
  await sandbox.output("rm", "-y", "--", "-rf");
});

test("a name that is taken is a conflict and changes nothing", async () => {
  using sandbox = new Sandbox();
  await withTwoModels(sandbox);
  for (const args of [
    ["add", "mistral"],
    ["add", MISTRAL],
    ["add", "new", "--alias", MISTRAL],
  ]) {
    expect(await sandbox.run(args)).toMatchObject({ exitCode: 4, stdout: "" });
  }
  expect((await sandbox.json<List>("list")).data).toHaveLength(2);
});

test("a verb that only reads creates nothing where there is no registry", async () => {
  using sandbox = new Sandbox();
  const hint = `There is no registry at ${sandbox.db} yet. \`cortex pull\`, \`cortex import\` or \`cortex scan --adopt\` makes one.\n`;
  expect(await sandbox.run(["list"])).toEqual({ exitCode: 0, stdout: "", stderr: hint });
  expect(await sandbox.run(["list", "--json", "--total"])).toMatchObject({
    exitCode: 0,
    stdout: '{\n  "data": [],\n  "next_cursor": null,\n  "total": 0\n}\n',
  });
  for (const args of [["search", "x"], ["ps"], ["history"], ["export"]])
    expect(await sandbox.run(args), args[0]).toMatchObject({ exitCode: 0, stdout: "" });
  for (const args of [
    ["show", "x"],
    ["update", "x", "--notes", "y"],
    ["alias", "x", "y"],
    ["tag", "x", "+y"],
    ["rm", "x", "-y"],
    ["start", "x"],
    ["stop", "x"],
    ["watch"],
    ["migrate"],
    ["check"],
    ["backup", "b"],
    ["verify"],
    ["prune"],
  ]) {
    expect(await sandbox.run(args), args[0]).toEqual({ exitCode: 3, stdout: "", stderr: `cortex: ${hint}` });
  }
  expect(existsSync(sandbox.db)).toBe(false);
}, 30_000);

test("where the old program left its data, the command that brings it over is named", async () => {
  using sandbox = new Sandbox();
  mkdirSync(sandbox.path("cortexcpp"));
  expect((await sandbox.run(["list"])).stderr).toContain(
    `left its data in ${sandbox.path("cortexcpp")}: \`cortex-migrate\``,
  );
  expect((await sandbox.run(["start", "x"])).stderr).toContain("cortex-migrate");
});

test("the registry is where --db says, else CORTEX_DB, else in the data folder", async () => {
  using sandbox = new Sandbox();
  const home = { CORTEX_DB: "", XDG_DATA_HOME: sandbox.path("share") };
  await sandbox.run(["add", "of-home"], "", home);
  expect(existsSync(sandbox.path("share/cortex/registry.db"))).toBe(process.platform === "linux");
  await sandbox.output("add", "of-env");
  await sandbox.output("--db", "other.db", "add", "of-flag");
  expect((await sandbox.run(["list", "-q"], "", home)).stdout).toBe("of-home\n");
  expect(await sandbox.output("list", "-q")).toBe("of-env\n");
  expect(await sandbox.output("list", "-q", "--db", sandbox.path("other.db"))).toBe("of-flag\n");
});

test("an empty list says how models come in", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "a");
  await sandbox.output("rm", "a", "-y");
  const { exitCode, stdout, stderr } = await sandbox.run(["list"]);
  expect([exitCode, stdout]).toEqual([0, ""]);
  for (const verb of ["cortex pull", "cortex import", "cortex scan --adopt"]) expect(stderr).toContain(verb);
  expect((await sandbox.run(["list", "--tag", "none"])).stderr).toBe("No model matches.\n");
});
