import { join } from "node:path";

import { describe, expect, test, vi, beforeEach } from "vitest";

import { findDataFolder } from "../../src/legacy/data-folder.ts";
import { writeCortexDb, writeFile, writeModelList } from "../old-data.ts";
import { temporaryFolder } from "../temporary-folder.ts";

let home: string;
beforeEach(() => {
  home = temporaryFolder();
  vi.stubEnv("HOME", home);
  vi.stubEnv("USERPROFILE", home);
  return () => vi.unstubAllEnvs();
});

describe("without an argument, the folder that the old program used", () => {
  test.each([
    ["~/.cortexrc of 2024", ".cortexrc"],
    ["~/.cortexrc of the beta", ".cortexrc-beta"],
    ["~/.cortexrc of the nightly", ".cortexrc-nightly"],
    ["~/.config/cortexcpp/.cortexrc of 1.0.13", ".config/cortexcpp/.cortexrc"],
    ["the nightly's ~/.config/cortexcpp-nightly/.cortexrc", ".config/cortexcpp-nightly/.cortexrc"],
  ])("as %s says", (_what, rc) => {
    const data = join(home, "elsewhere", "my data");
    const list = writeModelList(data, "");
    writeFile(join(home, rc), `\ufefflogFolderPath: /x\ndataFolderPath: ${data}\napiServerPort: 39281`);
    expect(findDataFolder(undefined, {})).toMatchObject({ path: data, lists: [list], databases: [] });
  });

  test.each(["cortexcpp", "cortexcpp-beta", "cortexcpp-nightly", ".local/share/cortexcpp"])(
    "~/%s, where nothing says",
    (name) => {
      const list = writeModelList(join(home, name), "");
      expect(findDataFolder(undefined, {}).lists).toEqual([list]);
    },
  );

  test("where XDG_CONFIG_HOME and XDG_DATA_HOME say", () => {
    const list = writeModelList(join(home, "d", "cortexcpp"), "");
    expect(findDataFolder(undefined, { XDG_DATA_HOME: join(home, "d") }).lists).toEqual([list]);
    const other = writeModelList(join(home, "o"), "");
    writeFile(join(home, "c", "cortexcpp", ".cortexrc"), `dataFolderPath: ${join(home, "o")}`);
    expect(
      findDataFolder(undefined, { XDG_DATA_HOME: join(home, "d"), XDG_CONFIG_HOME: join(home, "c") }).lists,
    ).toEqual([other]);
  });

  test("and others that there are as well are named", () => {
    writeModelList(join(home, ".local/share/cortexcpp"), "");
    writeModelList(join(home, "cortexcpp"), "");
    const found = findDataFolder(undefined, {});
    expect(found.path).toBe(join(home, ".local/share/cortexcpp"));
    expect(found.hints).toEqual([
      `There is another old data folder: cortex-migrate ${join(home, "cortexcpp")}`,
    ]);
  });

  test("also when .cortexrc names one that is gone, which is said", () => {
    writeModelList(join(home, "cortexcpp"), "");
    writeFile(join(home, ".cortexrc"), "dataFolderPath: /gone/cortexcpp");
    expect(findDataFolder(undefined, {})).toMatchObject({
      path: join(home, "cortexcpp"),
      hints: [expect.stringContaining("/gone/cortexcpp, which does not exist")],
    });
  });

  test("also when .cortexrc is no YAML any more, but its line is there", () => {
    const data = join(home, "data");
    writeModelList(data, "");
    writeFile(join(home, ".cortexrc"), `{{{ broken\ndataFolderPath: ${data}\n`);
    expect(findDataFolder(undefined, {}).path).toBe(data);
  });

  test("is not found where there is none, and the places are named", () => {
    expect(() => findDataFolder(undefined, {})).toThrow(/Looked in: .*cortexcpp/);
  });
});

describe("an argument may be", () => {
  test("a data folder, with both stores", () => {
    const data = join(home, "data");
    const list = writeModelList(data, "");
    const database = writeCortexDb(data, 3, []);
    expect(findDataFolder(data)).toMatchObject({ path: data, lists: [list], databases: [database] });
  });

  test("one whose list is called models.list, or lies at its top", () => {
    const list = writeFile(join(home, "a", "models", "models.list"), "");
    expect(findDataFolder(join(home, "a")).lists).toEqual([list]);
    const top = writeFile(join(home, "b", "model.list"), "");
    expect(findDataFolder(join(home, "b")).lists).toEqual([top]);
  });

  test("its models folder", () => {
    writeModelList(join(home, "data"), "");
    expect(findDataFolder(join(home, "data", "models")).path).toBe(join(home, "data"));
  });

  test("a home folder, or a copy of one", () => {
    writeModelList(join(home, "copy", "cortexcpp"), "");
    writeFile(join(home, "copy", ".cortexrc"), "dataFolderPath: /home/somebody/cortexcpp");
    expect(findDataFolder(join(home, "copy")).path).toBe(join(home, "copy", "cortexcpp"));
  });

  test("a store itself, whatever its name, by what is in it", () => {
    const list = writeModelList(join(home, "data"), "a x main /a.yml a READY\n");
    expect(findDataFolder(list)).toMatchObject({ path: join(home, "data"), lists: [list], databases: [] });
    const database = writeCortexDb(join(home, "data"), 3, []);
    expect(findDataFolder(database)).toMatchObject({
      path: join(home, "data"),
      lists: [],
      databases: [database],
    });
    expect(
      findDataFolder(writeFile(join(home, "x", "old.txt"), "a x main /a.yml a READY\n")).lists,
    ).toHaveLength(1);
    expect(findDataFolder(writeFile(join(home, "x", "cortex.db"), "")).databases).toHaveLength(1);
  });

  test("a list of any name, when at least half of its lines are models", () => {
    const line = "a x main /a.yml a READY\n";
    for (const text of [
      "",
      "\n",
      `${line}bad\n`,
      line.trimEnd(),
      `${line}\n\n\n`,
      `\ufeff${line}`,
      line.repeat(20_000),
    ]) {
      const path = writeFile(join(home, "saved.txt"), text);
      expect(findDataFolder(path).lists).toEqual([path]);
    }
  });

  test.each([
    ["accounts", "root:x:0:0:root:/root:/bin/bash\n"],
    ["prose", "The quick brown fox jumps over the lazy dog and then some more.\n".repeat(10)],
    ["mostly prose", `a x main /a.yml a READY\n${"one two\n".repeat(2)}`],
    ["a table of jobs", "17 * * * * root cd / && run-parts --report /etc/cron.hourly\n"],
    ["JSON", '{"a": [1, 2, 3], "b": {"c": "/d.yml"}}\n'],
    ["bytes", Buffer.alloc(400_000, 0xfe)],
    ["zeros", Buffer.alloc(400_000)],
  ])("no file with %s in it, unless it is called model.list", (_what, content) => {
    const path = writeFile(join(home, "x", "file"), content);
    expect(() => findDataFolder(path)).toThrow(/does not look like a model\.list/);
    const list = writeFile(join(home, "x", "model.list"), content);
    expect(findDataFolder(list).lists).toEqual([list]);
  });

  test("nothing else: what is not there, or holds no store, is not found", () => {
    expect(() => findDataFolder(join(home, "gone"))).toThrow(/does not exist/);
    writeFile(join(home, "empty", "readme"), "");
    expect(() => findDataFolder(join(home, "empty"), {})).toThrow(/holds no old store/);
  });
});
