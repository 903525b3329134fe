import { statSync, utimesSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { Disk } from "../../src/legacy/disk.ts";
import { readModelFacts, type ModelFacts } from "../../src/legacy/model-facts.ts";
import { parseModelYml } from "../../src/legacy/model-yml.ts";
import { writeFile, writeModel } from "../old-data.ts";
import { temporaryFolder } from "../temporary-folder.ts";

function facts(dataFolder: string, path: string, isRemote = false): ModelFacts {
  return readModelFacts(path, isRemote, dataFolder, new Disk());
}

function files({ files: found }: ModelFacts, dataFolder: string): string[] {
  return found.map(
    ({ path, role, sizeBytes }) => `${role} ${path.replace(`${dataFolder}/`, "")} ${sizeBytes ?? "gone"}`,
  );
}

describe("the YAML", () => {
  test("keeps ids, names and versions as they are written, also where they look like numbers", () => {
    const { fields } = parseModelYml(
      "id: 007\nmodel: 7e3\nname: 1.10\nversion: 1.0\nctx_len: 4096\nsize: 12\n",
    );
    expect(fields).toEqual({
      id: "007",
      model: "7e3",
      name: "1.10",
      version: "1.0",
      ctx_len: 4096,
      size: 12,
    });
  });

  test("is read as far as it is JSON: no infinity, no prototype, no empty keys", () => {
    const { fields } = parseModelYml("a: .inf\n__proto__: {x: 1}\nb:\nc: [1, ~]\n");
    expect(fields).toEqual({ a: "Infinity", c: [1, null] });
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  test.each([
    ["broken", "a: [1, 2\nb: }"],
    ["a list", "- a\n- b"],
    ["a text", "hello"],
    ["empty", ""],
    [
      "a bomb of aliases",
      `a: &a [x, x]\n${Array.from({ length: 30 }, (_, index) => `b${index}: &b${index} [*${index === 0 ? "a" : `b${index - 1}`}, *${index === 0 ? "a" : `b${index - 1}`}]`).join("\n")}`,
    ],
    ["too deep", `a: ${"[".repeat(60)}${"]".repeat(60)}`],
  ])("that is %s is reported", (_what, text) => {
    const { fields, problem } = parseModelYml(text);
    expect(fields).toBeUndefined();
    expect(problem).not.toBe("");
  });

  test("that is broken, huge or no UTF-8 does not hide the weights beside it", () => {
    const data = temporaryFolder();
    for (const content of ["a: [", Buffer.from([0x61, 0x3a, 0x20, 0xff]), `a: ${"x".repeat(2_000_000)}`]) {
      writeModel(data, "models/m/model.yml", "", { "models/m/model.gguf": 10 });
      writeFile(join(data, "models/m/model.yml"), content);
      const found = facts(data, "models/m/model.yml");
      expect(found.notes.map(({ code }) => code)).toEqual(["yml_unreadable"]);
      expect(found).toMatchObject({ hasConfig: true, weightsExpected: 1, weightsFound: 1, sizeBytes: 10 });
    }
  });
});

describe("the files", () => {
  test("are those that the YAML lists, relative to the data folder or absolute", () => {
    const data = temporaryFolder();
    const away = writeFile(join(data, "away", "w 2.gguf"), Buffer.alloc(5));
    writeModel(
      data,
      "models/a/m.yml",
      `files:\n  - models/a/w.gguf\n  - ${away}\n  - https://example.org/x.gguf\n  - file://${away.replace(" ", "%20")}\n`,
      {
        "models/a/w.gguf": 7,
      },
    );
    const found = facts(data, "models/a/m.yml");
    expect(files(found, data)).toEqual([
      expect.stringContaining("config models/a/m.yml"),
      "weights models/a/w.gguf 7",
      "weights away/w 2.gguf 5",
    ]);
    expect(found).toMatchObject({ weightsExpected: 2, weightsFound: 2, sizeBytes: 12 });
  });

  test("are model.gguf beside it where it lists none", () => {
    const data = temporaryFolder();
    writeModel(data, "models/a/model.yml", "model: a", { "models/a/model.gguf": 3 });
    expect(facts(data, "models/a/model.yml")).toMatchObject({ weightsFound: 1, sizeBytes: 3 });
  });

  test("of another engine are what lies there", () => {
    const data = temporaryFolder();
    writeModel(data, "models/a/model.yml", "engine: onnxruntime", {
      "models/a/model.onnx": 3,
      "models/a/tokenizer.json": 1,
    });
    expect(files(facts(data, "models/a/model.yml"), data)[1]).toBe("weights models/a/model.onnx 3");
  });

  test("hold all parts of a split GGUF; one that is not there is one that is missing", () => {
    const data = temporaryFolder();
    writeModel(data, "models/a/m.yml", "files: [models/a/w-00001-of-00003.gguf]", {
      "models/a/w-00001-of-00003.gguf": 3,
      "models/a/w-00003-of-00003.gguf": 3,
    });
    expect(facts(data, "models/a/m.yml")).toMatchObject({
      weightsExpected: 3,
      weightsFound: 2,
      sizeBytes: 6,
    });
  });

  test("hold the projector of a model that sees", () => {
    const data = temporaryFolder();
    writeModel(data, "models/a/m.yml", "files: [models/a/w.gguf]\nmmproj: models/a/eyes.gguf", {
      "models/a/w.gguf": 3,
      "models/a/eyes.gguf": 2,
    });
    const found = facts(data, "models/a/m.yml");
    expect(files(found, data)).toContain("mmproj models/a/eyes.gguf 2");
    expect(found).toMatchObject({ weightsExpected: 1, sizeBytes: 5 });
  });

  test("are none for a model behind an API", () => {
    const data = temporaryFolder();
    writeModel(data, "models/remote/m.yml", "engine: openai");
    expect(facts(data, "models/remote/m.yml", true)).toMatchObject({ weightsExpected: 0, hasConfig: true });
  });

  test("that lie there while the YAML is gone are found", () => {
    const data = temporaryFolder();
    writeFile(join(data, "models/a/w.gguf"), Buffer.alloc(4));
    expect(facts(data, "models/a/w.yml")).toMatchObject({ hasConfig: false, weightsFound: 1, sizeBytes: 4 });
  });
});

describe("a data folder that was moved", () => {
  test("still has its models: absolute paths lead to where they are now, and that is said", () => {
    const data = temporaryFolder();
    writeModel(data, "models/a/m.yml", "files: [/home/old/cortexcpp/models/a/w.gguf]", {
      "models/a/w.gguf": 3,
    });
    const found = facts(data, "/home/old/cortexcpp/models/a/m.yml");
    expect(found).toMatchObject({ configPath: join(data, "models/a/m.yml"), weightsFound: 1 });
    expect(found.notes.map(({ code }) => code)).toEqual(["config_moved", "file_moved"]);
  });

  test("from Windows has them as well", () => {
    const data = temporaryFolder();
    writeModel(data, "models/a/m.yml", "model: a");
    expect(facts(data, "C:\\Users\\me\\cortexcpp\\models\\a\\m.yml").configPath).toBe(
      join(data, "models/a/m.yml"),
    );
    expect(facts(data, "models\\a\\m.yml").configPath).toBe(join(data, "models/a/m.yml"));
  });

  test("does not send a path that still exists elsewhere", () => {
    const [old, data] = [temporaryFolder(), temporaryFolder()];
    writeModel(old, "models/a/m.yml", "model: old");
    writeModel(data, "models/a/m.yml", "model: new");
    expect(facts(data, join(old, "models/a/m.yml")).configPath).toBe(join(old, "models/a/m.yml"));
  });
});

test("times are those of the YAML, and never after its last change", () => {
  const data = temporaryFolder();
  const path = writeModel(data, "models/a/m.yml", "model: a");
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  expect(facts(data, "models/a/m.yml")).toMatchObject({
    createdAt: 1_700_000_000_000,
    updatedAt: 1_700_000_000_000,
  });
  expect(statSync(path).mtimeMs).toBe(1_700_000_000_000);
});

test("times before 1970 or in a far future are none", () => {
  const data = temporaryFolder();
  const path = writeModel(data, "models/a/m.yml", "model: a");
  for (const time of [new Date("1969-01-01"), new Date("2400-01-01")]) {
    utimesSync(path, time, time);
    expect(facts(data, "models/a/m.yml").updatedAt).toBeUndefined();
  }
});

test("a folder, a path that is too long, and one that holds a NUL are no files", () => {
  const data = temporaryFolder();
  for (const path of [".", `models/${"x".repeat(5000)}.yml`, "models/a\0b.yml"]) {
    expect(facts(data, path)).toMatchObject({ hasConfig: false, weightsFound: 0 });
  }
});
