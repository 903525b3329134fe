import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  isFields,
  parseModelListLine,
  type LineContext,
  type ModelListFields,
} from "../../src/legacy/model-list-line.ts";

const CONTEXT: LineContext = { terminated: true, isFile: () => false, usualConfigPaths: () => [] };

function fields(line: string, context: Partial<LineContext> = {}): ModelListFields {
  const read = parseModelListLine(line, { ...CONTEXT, ...context });
  if (!isFields(read)) throw new Error(`refused: ${read.why}`);
  return read;
}

function refusal(line: string, context: Partial<LineContext> = {}): string {
  const read = parseModelListLine(line, { ...CONTEXT, ...context });
  if (isFields(read)) throw new Error(`read as ${JSON.stringify(read)}`);
  expect(read.why).not.toBe("");
  expect(read.remedy).not.toBe("");
  return read.code;
}

function codes({ notes }: ModelListFields): string[] {
  return notes.map(({ code }) => code);
}

describe("a line that the old program reads", () => {
  test("has its six fields", () => {
    expect(fields("tiny:1b cortexso 1b /d/models/cortex.so/tiny/1b/model.yml tiny READY")).toEqual({
      modelId: "tiny:1b",
      author: "cortexso",
      branch: "1b",
      configPath: "/d/models/cortex.so/tiny/1b/model.yml",
      alias: "tiny",
      status: "READY",
      notes: [],
      rest: null,
    });
  });

  test.each([
    ["a Windows line end", "id a main /x.yml al READY\r"],
    ["tabs", "id\ta\tmain\t/x.yml\tal\tREADY"],
    ["several and leading blanks", "  id   a main  /x.yml al   READY  "],
    ["vertical tabs and form feeds", "id\va\fmain /x.yml al READY"],
  ])("may have %s", (_what, line) => {
    expect(fields(line)).toMatchObject({
      modelId: "id",
      author: "a",
      branch: "main",
      configPath: "/x.yml",
      alias: "al",
      status: "READY",
    });
  });

  test("keeps a no-break space inside of a field: it is no separator", () => {
    expect(fields("id\u00a0x a main /x.yml al READY").modelId).toBe("id\u00a0x");
  });

  test("keeps a status that nobody knows", () => {
    expect(fields("id a main /x.yml al DOWNLOADING").status).toBe("DOWNLOADING");
    expect(fields("id a main /x.yml al running").status).toBe("running");
  });

  test("says what it ignored after the sixth field", () => {
    const read = fields("id a main /x.yml al READY and more");
    expect(read.rest).toBe("and more");
    expect(codes(read)).toEqual(["rest_ignored"]);
  });

  test("may name a model #, if the rest is an entry", () => {
    expect(fields("# a main /x.yml al READY").modelId).toBe("#");
  });

  test("may have a Windows path", () => {
    expect(fields("id a main C:\\Users\\a\\cortexcpp\\models\\x.yml al READY").configPath).toBe(
      "C:\\Users\\a\\cortexcpp\\models\\x.yml",
    );
  });
});

describe("a path with blanks, which the old program corrupts", () => {
  test("is whole again", () => {
    const read = fields("my local imported /home/me/My Big  Models/imported/my.yml al READY");
    expect(read).toMatchObject({
      configPath: "/home/me/My Big  Models/imported/my.yml",
      alias: "al",
      status: "READY",
    });
    expect(codes(read)).toEqual(["path_joined"]);
  });

  test("is whole again after one old write, which lost what came behind it", () => {
    const read = fields("my local imported /home/me/My Models/imported/my.yml READY");
    expect(read).toMatchObject({
      configPath: "/home/me/My Models/imported/my.yml",
      alias: null,
      status: "READY",
    });
    expect(codes(read)).toEqual(["path_joined", "alias_lost"]);
  });

  test("is found where the old program keeps it, when its end was lost", () => {
    const path = "/home/me/My Big Models/models/imported/my.yml";
    const read = fields("my local imported /home/me/My Big READY", {
      usualConfigPaths: () => [path],
      isFile: (asked) => asked === path,
    });
    expect(read).toMatchObject({
      configPath: path,
      alias: null,
      status: "READY",
      rest: "/home/me/My Big READY",
    });
    expect(codes(read)).toEqual(["path_found", "alias_lost"]);
  });

  test("is kept as the old program read it, and doubted, when nothing is found", () => {
    const read = fields("my local imported /home/me/My Big READY");
    expect(read).toMatchObject({ configPath: "/home/me/My", alias: "Big" });
    expect(codes(read)).toEqual(["path_doubtful"]);
  });

  test("may end in .yml in two places: the one that is a file counts", () => {
    const line = "my local imported /home/a.yml b.yml c READY";
    expect(fields(line, { isFile: (path) => path === "/home/a.yml b.yml" })).toMatchObject({
      configPath: "/home/a.yml b.yml",
      alias: "c",
    });
  });

  test("with an alias that has blanks is refused only when nothing tells them apart", () => {
    expect(fields("my local imported /x.yml my own alias READY")).toMatchObject({
      configPath: "/x.yml",
      alias: "my own alias",
    });
    expect(refusal("my local imported /x.yml a.yml READY b.yml c READY")).toBe("ambiguous");
  });
});

test("an id with blanks is whole again where the record is an import", () => {
  const read = fields("my own model local imported /d/models/imported/my own model.yml my-alias READY");
  expect(read).toMatchObject({
    modelId: "my own model",
    author: "local",
    branch: "imported",
    alias: "my-alias",
  });
  expect(codes(read)).toEqual(["id_joined", "path_joined"]);
});

test("words before a path that could be anything are refused", () => {
  expect(refusal("what is this thing here /x.yml al READY")).toBe("ambiguous");
});

describe("an empty field, for which the old program drops the line", () => {
  test.each([
    ["author", "id  main /x.yml al READY", { author: null, branch: "main", alias: "al" }],
    ["branch", "id a  /x.yml al READY", { author: "a", branch: null, alias: "al" }],
    ["path", "id a main  al READY", { configPath: null, alias: "al" }],
    ["alias", "id a main /x.yml  READY", { configPath: "/x.yml", alias: null }],
    ["status", "id a main /x.yml al ", { alias: "al", status: null }],
  ])("%s: the others are kept", (_name, line, expected) => {
    expect(fields(line)).toMatchObject(expected);
    expect(fields(line).notes).toHaveLength(1);
  });

  test("id: refused", () => {
    expect(refusal(" a main /x.yml al READY")).toBe("id_absent");
  });
});

describe("a last line that was cut off", () => {
  const cut = { terminated: false };
  test("inside its alias gets the alias that the old program made", () => {
    const read = fields("huggingface.co/A/R/Tiny.Q4.gguf A main /d/x.yml tiny.", cut);
    expect(read).toMatchObject({ alias: "tiny.q4", status: null });
    expect(codes(read)).toEqual(["line_cut"]);
  });

  test("inside an alias of its own keeps what is left of it aside", () => {
    expect(fields("huggingface.co/A/R/Tiny.Q4.gguf A main /d/x.yml mine", cut)).toMatchObject({
      alias: null,
      rest: "mine",
    });
  });

  test("after the path is kept without alias", () => {
    expect(fields("id a main /d/x.yml", cut)).toMatchObject({ configPath: "/d/x.yml", alias: null });
  });

  test("inside its path is refused, unless the file is where it should be", () => {
    expect(refusal("id local imported /d/models/imp", cut)).toBe("line_cut");
    const path = "/d/models/imported/id.yml";
    const read = fields("id local imported /d/models/imp", {
      ...cut,
      usualConfigPaths: () => [path],
      isFile: (asked) => asked === path,
    });
    expect(read.configPath).toBe(path);
  });

  test("before the path is refused", () => {
    expect(refusal("id local", cut)).toBe("line_cut");
  });

  test("needs no newline", () => {
    expect(fields("id a main /x.yml al READY", cut)).toMatchObject({
      alias: "al",
      status: "READY",
      notes: [],
    });
  });
});

test("a line of five fields, as once documented, is taken as READY", () => {
  const read = fields("id a main /x.yml al");
  expect(read).toMatchObject({ alias: "al", status: null });
  expect(codes(read)).toEqual(["status_absent"]);
});

test.each([
  ["", "blank_line"],
  [" \t\r", "blank_line"],
  ["# my models", "comment"],
  ["# id a main /x.yml al READY", "comment"],
  ["#this is a list of models", "comment"],
  ["this is a list of models", "no_entry"],
  ["id a main", "too_few_fields"],
  ["x", "too_few_fields"],
])("%j is refused as %s", (line, code) => {
  expect(refusal(line)).toBe(code);
});

test("whatever the line is, it is read or refused, and no word of an entry is lost", () => {
  const word = fc.stringMatching(/^[A-Za-z0-9:._/#-]{1,12}$/);
  const blank = fc.constantFrom(" ", "  ", "\t");
  const line = fc
    .array(
      fc.tuple(fc.oneof(word, fc.constantFrom("READY", "/a/b.yml", "local", "imported", "C:\\x.yml")), blank),
      { maxLength: 10 },
    )
    .map((words) => words.flat().join(""));
  fc.assert(
    fc.property(line, fc.boolean(), (text, terminated) => {
      const read = parseModelListLine(text, { ...CONTEXT, terminated });
      if (!isFields(read)) return read.why !== "";
      const kept = Object.values(read).flatMap((value) =>
        typeof value === "string" ? value.split(/[ \t]+/) : [],
      );
      return text
        .split(/[ \t]+/)
        .every((part) => part === "" || kept.includes(part) || read.notes.length > 0);
    }),
    { numRuns: 2000 },
  );
});

test("a status on its own never becomes a part of something else", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const read = parseModelListLine(text.replaceAll("\n", ""), CONTEXT);
      return isFields(read) ? read.modelId !== "" : true;
    }),
  );
});
