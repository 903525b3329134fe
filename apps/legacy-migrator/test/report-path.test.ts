import { linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { openRegistry } from "@cortex/model-db";
import { beforeEach, describe, expect, test } from "vitest";

import { migrate } from "../src/migrate.ts";
import { MisuseError } from "../src/misuse-error.ts";
import { contentsOf } from "./contents-of.ts";
import { writeCortexDb, writeFile, writeModelList } from "./old-data.ts";
import { temporaryFolder } from "./temporary-folder.ts";

let home: string;
let data: string;
let to: string;
let list: string;
let database: string;
beforeEach(async () => {
  home = temporaryFolder();
  data = join(home, "old data");
  to = join(home, "new", "registry.db");
  list = writeModelList(data, "a x main /1.yml one READY\n");
  database = writeCortexDb(data, 3, [{ model_id: "b" }]);
  writeFile(join(data, "models", "a.yml"), "");
  mkdirSync(dirname(to));
  await using registry = await openRegistry(to);
  await registry.models.create({ modelId: "mine", sourceType: "local" });
});

async function report(path: string, dryRun = false): Promise<unknown> {
  return migrate({ from: data, to, env: {}, report: path, dryRun });
}

async function expectRefused(path: string, message: RegExp): Promise<void> {
  const before = contentsOf(home);
  for (const dryRun of [true, false]) {
    const error = await report(path, dryRun).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MisuseError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toMatch(/\bE[A-Z]{3,}\b|partial/);
  }
  expect(contentsOf(home)).toEqual(before);
}

describe("a report never takes the place of", () => {
  test("an old store, by whatever name", async () => {
    await expectRefused(list, /is an old store.*Name another file with --report/);
    await expectRefused(database, /is an old store/);
    await expectRefused(relative(process.cwd(), database), /is an old store/);
    await expectRefused(`${database}-wal`, /is an old store/);
    await expectRefused(join(data, "models", "models.list"), /is an old store/);
    symlinkSync(list, join(home, "link"));
    await expectRefused(join(home, "link"), /is an old store/);
    linkSync(database, join(home, "hard"));
    await expectRefused(join(home, "hard"), /is an old store/);
    symlinkSync(data, join(home, "folder"));
    await expectRefused(join(home, "folder", "cortex.db"), /is an old store/);
  });

  test("a store that only the database's folder could have", async () => {
    const other = join(home, "only-list");
    const only = writeModelList(other, "a x main /1.yml one READY\n");
    const run = migrate({ from: only, to, env: {}, report: join(other, "cortex.db") });
    await expect(run).rejects.toThrow(/is an old store/);
  });

  test("a file among the old models", async () => {
    await expectRefused(join(data, "models", "a.yml"), /among the old models/);
    writeFile(join(data, "models", "x", "report.jsonl"), '{"outcome":"created"}\n');
    await expectRefused(join(data, "models", "x", "report.jsonl"), /among the old models/);
  });

  test("the registry, what belongs to it, or its backups", async () => {
    await expectRefused(to, /is the registry/);
    for (const end of ["-wal", "-shm", "-journal"]) await expectRefused(to + end, /is the registry/);
    symlinkSync(`${to}-wal`, join(home, "wal"));
    await expectRefused(join(home, "wal"), /is the registry/);
    await expectRefused(`${to}.backups`, /among the backups/);
    writeFile(join(`${to}.backups`, "one", "report.jsonl"), '{"outcome":"created"}\n');
    await expectRefused(join(`${to}.backups`, "one", "report.jsonl"), /among the backups/);
    await expectRefused(join(`${to}.backups`, "new.jsonl"), /among the backups/);
  });

  test("a registry that is still to be made", async () => {
    const run = migrate({ from: data, to: join(home, "other.db"), env: {}, report: join(home, "other.db") });
    await expect(run).rejects.toThrow(/is the registry/);
  });

  test("any other file that is no report", async () => {
    const texts = [
      "precious\n",
      "{}\n",
      "[1]\n",
      "null\n",
      '{"outcome":"maybe"}\n',
      '\n{"outcome":"created"}\n',
    ];
    for (const text of texts) {
      const path = writeFile(join(home, "file"), text);
      await expectRefused(path, /exists and is no report of cortex-migrate/);
    }
  });

  test("a folder, a device, or what standard output is", async () => {
    await expectRefused(home, /is a folder/);
    for (const path of ["-", "/dev/stdout", "/dev/null", "/dev/fd/1", "/proc/self/fd/1", "/dev/new"]) {
      await expectRefused(path, /--json prints the report to standard output/);
    }
    symlinkSync("/dev/null", join(home, "null"));
    await expect(report(join(home, "null"))).rejects.toThrow(/no regular file/);
  });
});

test("the folder of a report must exist, and is named where it does not", async () => {
  await expectRefused(join(home, "gone", "report.jsonl"), /The folder .*gone for the report does not exist/);
  await expectRefused(join(list, "report.jsonl"), /model\.list is no folder/);
  await expectRefused(join(home, "x".repeat(300)), /the name is too long/);
  symlinkSync("loop", join(home, "loop"));
  await expectRefused(join(home, "loop"), /leads to itself/);
});

test("an earlier report and an empty file are replaced, and a link is followed to where it leads", async () => {
  const path = join(home, "report.jsonl");
  const other = writeFile(`${path}.partial`, "somebody else's");
  await report(path, true);
  const first = readFileSync(path, "utf8");
  expect(first.trim().split("\n")).toHaveLength(2);
  await report(path);
  expect(readFileSync(path, "utf8")).toBe(first);
  symlinkSync("report.jsonl", join(home, "link"));
  symlinkSync("new.jsonl", join(home, "dangling"));
  await report(join(home, "link"));
  await report(join(home, "dangling"));
  expect(readFileSync(path, "utf8")).toContain("already_there");
  expect(readFileSync(join(home, "new.jsonl"), "utf8")).toBe(readFileSync(path, "utf8"));
  await report(writeFile(join(home, "empty"), ""));
  expect(readFileSync(join(home, "empty"), "utf8")).toBe(readFileSync(path, "utf8"));
  expect(readFileSync(other, "utf8")).toBe("somebody else's");
  expect(readdirSync(home).toSorted()).toEqual([
    "dangling",
    "empty",
    "link",
    "new",
    "new.jsonl",
    "old data",
    "report.jsonl",
    "report.jsonl.partial",
  ]);
});

test("a run that fails leaves nothing of its report", async () => {
  const path = join(home, "report.jsonl");
  writeFile(list, "a x main /1.yml one READY\n".repeat(3000));
  const run = migrate({
    from: data,
    to,
    env: {},
    report: path,
    onEntry: () => {
      throw new Error("stop");
    },
  });
  await expect(run).rejects.toThrow("stop");
  expect(readdirSync(home).toSorted()).toEqual(["new", "old data"]);
});
