import { existsSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";

import { MODEL_STATUS, openRegistry } from "@cortex/model-db";
import { beforeEach, describe, expect, test } from "vitest";

import { migrate, type Migration } from "../src/migrate.ts";
import type { ReportEntry } from "../src/report-entry.ts";
import { contentsOf } from "./contents-of.ts";
import { writeCortexDb, writeFile, writeModel, writeModelList } from "./old-data.ts";
import { registryFiles, registryModels } from "./registry-models.ts";
import { temporaryFolder } from "./temporary-folder.ts";

let data: string;
let to: string;
beforeEach(() => {
  data = join(temporaryFolder(), "cortexcpp");
  to = join(temporaryFolder(), "new", "registry.db");
});

async function run(
  options: { dryRun?: boolean; report?: string } = {},
): Promise<Migration & { entries: ReportEntry[] }> {
  const entries: ReportEntry[] = [];
  const migration = await migrate({
    from: data,
    to,
    env: {},
    onEntry: (entry) => entries.push(entry),
    ...options,
  });
  expect(migration.verified?.mismatches ?? []).toEqual([]);
  return { ...migration, entries };
}

function outcomes(entries: readonly ReportEntry[]): string[] {
  return entries.map(({ outcome, store, line }) => `${store} ${line} ${outcome}`);
}

const OLD_YML =
  "id: tiny\nmodel: tiny:1b\nname: Tiny\nversion: 1\nengine: llama-cpp\nctx_len: 2048\nsize: 10\n";

describe("a text store", () => {
  test("becomes models with all that the line, the YAML and the disk say", async () => {
    const yml = writeModel(data, "models/cortex.so/tiny/1b/model.yml", OLD_YML, {
      "models/cortex.so/tiny/1b/model.gguf": 10,
    });
    utimesSync(yml, 1_720_000_000, 1_720_000_000);
    writeModelList(data, `tiny:1b cortexso 1b ${yml} t READY\n`);
    const { entries } = await run();
    expect(outcomes(entries)).toEqual(["model.list 1 created"]);
    expect((await registryModels(to))["tiny:1b"]).toMatchObject({
      modelId: "tiny:1b",
      sourceType: "cortex.so",
      authorRepo: "cortexso",
      branch: "1b",
      configPath: yml,
      alias: "t",
      aliases: [],
      status: MODEL_STATUS.READY,
      createdAt: 1_720_000_000_000,
      updatedAt: 1_720_000_000_000,
      availability: "present",
      engine: "llama-cpp",
      format: "gguf",
      contextLength: 2048,
      sizeBytes: 10,
      rowVersion: 1,
      metadata: {
        legacy: { store: "model.list" },
        model_yml: {
          id: "tiny",
          model: "tiny:1b",
          name: "Tiny",
          version: "1",
          engine: "llama-cpp",
          ctx_len: 2048,
          size: 10,
        },
      },
    });
    expect(await registryFiles(to, "t")).toMatchObject([
      { path: join(data, "models/cortex.so/tiny/1b/model.gguf"), role: "weights", sizeBytes: 10 },
      { path: yml, role: "config", sizeBytes: OLD_YML.length },
    ]);
  });

  test("attributes its models to cortex-migrate, and their history begins there", async () => {
    writeModelList(data, "a x main /a.yml a READY\n");
    await run();
    await using registry = await openRegistry(to, { mode: "read" });
    expect((await registry.history.list()).items).toMatchObject([
      { kind: "created", actor: "cortex-migrate", modelId: "a" },
    ]);
  });

  test("says RUNNING of a time that is over: the model is READY, and the word is kept", async () => {
    writeModelList(data, "a x main /a.yml a RUNNING\nb x main /b.yml b DOWNLOADING\n");
    const { entries } = await run();
    const models = await registryModels(to);
    expect(models["a"]).toMatchObject({
      status: MODEL_STATUS.READY,
      metadata: { legacy: { status: "RUNNING" } },
    });
    expect(models["b"]).toMatchObject({
      status: MODEL_STATUS.READY,
      metadata: { legacy: { status: "DOWNLOADING" } },
    });
    expect(entries.map(({ notes }) => notes?.map(({ code }) => code))).toEqual([
      expect.arrayContaining(["was_running"]),
      expect.arrayContaining(["status_unknown"]),
    ]);
    await using registry = await openRegistry(to, { mode: "read" });
    expect(await registry.runs.list()).toEqual([]);
  });

  test("shows what is gone from disk as missing, and what is half there as partial", async () => {
    const yml = writeModel(data, "models/imported/half.yml", "files: [models/w-00001-of-00002.gguf]", {
      "models/w-00001-of-00002.gguf": 1,
    });
    writeModelList(data, `gone x main /gone.yml gone READY\nhalf local imported ${yml} half READY\n`);
    await run();
    const models = await registryModels(to);
    expect([models["gone"]?.availability, models["half"]?.availability]).toEqual(["missing", "partial"]);
  });

  test("whose path was cut at a blank comes over whole", async () => {
    const yml = writeModel(data, "models/My Models/imported/my.yml", "name: My");
    writeModelList(data, `my local imported ${yml} al READY\nold local imported ${yml} READY\n`);
    await run();
    const models = await registryModels(to);
    expect(models["my"]).toMatchObject({ configPath: yml, alias: "al" });
    expect(models["old"]).toMatchObject({ configPath: yml, alias: null });
  });

  test("gives every line one entry in the report", async () => {
    writeModelList(
      data,
      Buffer.concat([
        Buffer.from(
          "a x main /1.yml one READY\r\na y main /2.yml two RUNNING\nb x main /3.yml a READY\nc x main /4.yml one READY\n\n",
        ),
        Buffer.from([0xff, 0xfe, 0x0a]),
        Buffer.from("short line\nd x main /5.yml d READY"),
      ]),
    );
    const { entries, counts } = await run();
    expect(outcomes(entries).toSorted()).toEqual([
      "model.list 1 created",
      "model.list 2 merged",
      "model.list 3 renamed",
      "model.list 4 renamed",
      "model.list 5 refused",
      "model.list 6 refused",
      "model.list 7 refused",
      "model.list 8 created",
    ]);
    expect(counts).toEqual({ created: 2, already_there: 0, merged: 1, renamed: 2, refused: 3 });
    for (const entry of entries.filter(({ outcome }) => outcome === "refused")) {
      expect(entry).toMatchObject({
        why: expect.any(String),
        remedy: expect.any(String),
        text: expect.any(String),
      });
    }
  });
});

describe("names that clash", () => {
  test("a second line of an id is merged into the first: both aliases mean it, and what differs is kept and reported", async () => {
    writeModelList(data, "dup x main /1.yml one READY\ndup y main /2.yml two RUNNING\n");
    const { entries } = await run();
    expect((await registryModels(to))["dup"]).toMatchObject({
      authorRepo: "x",
      alias: "one",
      aliases: ["two"],
      metadata: {
        legacy: {
          other_records: [
            { store: "model.list", author_repo: "y", config_path: "/2.yml", status: "RUNNING" },
          ],
        },
      },
    });
    expect(entries[1]).toMatchObject({
      outcome: "merged",
      line: 2,
      into: "dup",
      fields: expect.arrayContaining([
        {
          field: "author_repo",
          value: "x",
          from: "model.list line 1",
          other: "y",
          other_from: "model.list line 2",
        },
        { field: "aliases", value: "two", from: "model.list line 2" },
      ]),
    });
  });

  test("an alias that is another model's id gives way, also where it comes first", async () => {
    writeModelList(data, "other x main /1.yml dup READY\ndup x main /2.yml d READY\n");
    const { entries } = await run();
    const models = await registryModels(to);
    expect(models["dup"]?.alias).toBe("d");
    expect(models["other"]).toMatchObject({ alias: "dup-2", metadata: { legacy: { alias: "dup" } } });
    expect(entries[0]).toMatchObject({
      outcome: "renamed",
      model_id: "other",
      old_alias: "dup",
      new_alias: "dup-2",
    });
  });

  test("the first of two models keeps the alias, the other gets the next one that the old program would have made", async () => {
    const [a, b, c] = ["A", "B", "C"].map(
      (author) => `huggingface.co/${author}/Tiny/tiny.gguf ${author} main /${author}.yml tiny READY\n`,
    );
    writeModelList(data, `${a}${b}x x main /x.yml Tiny:tiny READY\n${c}`);
    await run();
    const models = Object.values(await registryModels(to));
    expect(models.map(({ alias }) => String(alias)).toSorted()).toEqual([
      "B:Tiny/tiny",
      "C:Tiny/tiny",
      "Tiny:tiny",
      "tiny",
    ]);
  });

  test("an alias that no registry takes is replaced, and kept aside", async () => {
    writeModelList(data, "A/model x main /1.yml bad\u0007alias READY\nb x main /2.yml \u202eevil READY\n");
    const { entries } = await run();
    const models = await registryModels(to);
    expect(models["A/model"]).toMatchObject({
      alias: "model",
      metadata: { legacy: { alias: "bad\u0007alias" } },
    });
    expect(models["b"]).toMatchObject({ metadata: { legacy: { alias: "\u202eevil" } } });
    expect(entries.map(({ outcome }) => outcome)).toEqual(["renamed", "renamed"]);
  });

  test("a thousand models that want one alias get one each", async () => {
    writeModelList(
      data,
      Array.from({ length: 1000 }, (_, index) => `m${index} x main /${index}.yml same READY\n`).join(""),
    );
    const { counts } = await run();
    expect(counts).toMatchObject({ created: 1, renamed: 999 });
    expect(new Set(Object.values(await registryModels(to)).map(({ alias }) => alias)).size).toBe(1000);
  });

  test("an id that a registry does not take is refused with the reason", async () => {
    writeModelList(
      data,
      `\u001b[31mred x main /1.yml a READY\n${"x".repeat(2000)} x main /2.yml b READY\nok x main /3.yml c READY\n`,
    );
    const { entries } = await run();
    expect(entries.map(({ outcome, code }) => code ?? outcome)).toEqual([
      "id_refused",
      "id_refused",
      "created",
    ]);
  });

  test("an id that is an alias in the registry is refused and says whose", async () => {
    {
      await using registry = await openRegistry(to);
      await registry.models.create({ modelId: "mine", sourceType: "local", alias: "a" });
    }
    writeModelList(data, "a x main /1.yml b READY\n");
    expect((await run()).entries).toMatchObject([
      { outcome: "refused", code: "id_taken", why: expect.stringContaining("mine") },
    ]);
  });
});

describe("a database", () => {
  test("keeps what a row says beside our fields, and its JSON as data", async () => {
    writeCortexDb(data, 3, [
      {
        model_id: "bartowski:phi:phi-Q4_K_M.gguf",
        author_repo_id: "bartowski",
        branch_name: "main",
        path_to_model_yaml: "",
        model_alias: "",
        model_format: "hf-gguf",
        model_source: "https://huggingface.co/bartowski/phi",
        status: "downloadable",
        engine: "llama-cpp",
        metadata: JSON.stringify({
          size: 900,
          gguf: { architecture: "phi3", context_length: 16_384, total: 14_000_000 },
          tags: ["x"],
        }),
      },
      { model_id: "plain", status: "downloaded", metadata: "not json" },
      { model_id: "tricky", metadata: '{"__proto__": {"x": 1}, "big": 12345678901234567890}' },
    ]);
    await run();
    const models = await registryModels(to);
    expect(models["bartowski:phi:phi-Q4_K_M.gguf"]).toMatchObject({
      sourceType: "huggingface",
      availability: "downloadable",
      configPath: null,
      alias: null,
      engine: "llama-cpp",
      format: "gguf",
      architecture: "phi3",
      quantization: "Q4_K_M",
      parameterCount: 14_000_000,
      contextLength: 16_384,
      sizeBytes: 900,
      metadata: {
        legacy: {
          store: "cortex.db",
          status: "downloadable",
          model_format: "hf-gguf",
          model_source: "https://huggingface.co/bartowski/phi",
          metadata: { size: 900, tags: ["x"] },
        },
      },
    });
    expect(models["plain"]?.metadata).toMatchObject({ legacy: { metadata: "not json" } });
    expect(models["tricky"]?.metadata).toMatchObject({
      legacy: { metadata: expect.stringContaining("__proto__") },
    });
  });

  test("has paths relative to its folder, remote models, and rows of an upgrade without a status", async () => {
    writeModel(data, "models/cortex.so/tiny/1b/model.yml", OLD_YML, {
      "models/cortex.so/tiny/1b/model.gguf": 10,
    });
    writeModel(data, "models/remote/gpt.yml", "model: gpt\nengine: openai\n");
    writeCortexDb(data, 3, [
      {
        model_id: "tiny:1b",
        author_repo_id: "cortexso",
        branch_name: "1b",
        path_to_model_yaml: "models/cortex.so/tiny/1b/model.yml",
        model_alias: "tiny:1b",
      },
      {
        model_id: "gpt",
        path_to_model_yaml: "models/remote/gpt.yml",
        model_format: "remote",
        model_source: "imported",
        status: "remote",
        engine: "openai",
      },
      { model_id: "odd", status: "weird" },
    ]);
    const { entries } = await run();
    const models = await registryModels(to);
    expect(models["tiny:1b"]).toMatchObject({
      availability: "present",
      alias: "tiny:1b",
      configPath: join(data, "models/cortex.so/tiny/1b/model.yml"),
      metadata: { legacy: { config_path: "models/cortex.so/tiny/1b/model.yml" } },
    });
    expect(models["gpt"]).toMatchObject({
      sourceType: "remote",
      availability: "remote",
      engine: "openai",
      format: null,
    });
    expect(await registryFiles(to, "gpt")).toMatchObject([{ role: "config" }]);
    expect(models["odd"]?.availability).toBe("missing");
    expect(entries[2]?.notes?.map(({ code }) => code)).toContain("status_unknown");
  });
});

describe("both stores", () => {
  beforeEach(() => {
    writeModel(data, "models/huggingface.co/A/R/f.yml", "name: F", { "models/huggingface.co/A/R/f.gguf": 2 });
    writeCortexDb(data, 3, [
      {
        model_id: "A:R:f.gguf",
        author_repo_id: "A",
        branch_name: "v2",
        path_to_model_yaml: "models/huggingface.co/A/R/f.yml",
        model_alias: "A:R:f.gguf",
        status: "downloaded",
        model_format: "hf-gguf",
      },
      {
        model_id: "imp",
        author_repo_id: "",
        branch_name: "imported",
        path_to_model_yaml: "models/imported/imp.yml",
        model_alias: "imp",
        model_source: "imported",
        status: "downloaded",
      },
    ]);
    writeModelList(
      data,
      `huggingface.co/A/R/f.gguf A main ${data}/models/huggingface.co/A/R/f.yml f READY\nimp local imported ${data}/models/imported/imp.yml imp READY\nonly local imported ${data}/models/imported/only.yml only READY\n`,
    );
  });

  test("make one model: the database wins field by field, the list fills what it leaves empty, all names go on working", async () => {
    const { entries } = await run();
    const models = await registryModels(to);
    expect(Object.keys(models).toSorted()).toEqual(["A:R:f.gguf", "imp", "only"]);
    expect(models["A:R:f.gguf"]).toMatchObject({
      branch: "v2",
      alias: "f",
      aliases: ["huggingface.co/A/R/f.gguf"],
      availability: "present",
      metadata: { legacy: { store: "cortex.db", other_records: [{ store: "model.list", branch: "main" }] } },
    });
    expect(models["imp"]).toMatchObject({
      authorRepo: "local",
      metadata: { legacy: { model_source: "imported" } },
    });
    expect(outcomes(entries)).toEqual([
      "cortex.db 1 created",
      "model.list 1 merged",
      "cortex.db 2 created",
      "model.list 2 merged",
      "model.list 3 created",
    ]);
    expect(entries[1]).toMatchObject({
      into: "A:R:f.gguf",
      fields: [
        {
          field: "branch",
          value: "v2",
          from: "cortex.db row 1",
          other: "main",
          other_from: "model.list line 1",
        },
        { field: "aliases", value: "huggingface.co/A/R/f.gguf", from: "model.list line 1" },
        { field: "alias", value: "f", from: "model.list line 1" },
      ],
    });
    expect(entries[3]).toMatchObject({
      fields: [{ field: "author_repo", value: "local", from: "model.list line 2" }],
    });
  });

  test("one after the other make the same model, under the id that was first", async () => {
    const database = join(data, "cortex.db");
    renameSync(database, `${database}.later`);
    await run();
    renameSync(`${database}.later`, database);
    const { entries } = await run();
    expect(outcomes(entries)).toContain("cortex.db 1 merged");
    const model = (await registryModels(to))["huggingface.co/A/R/f.gguf"];
    expect(model).toMatchObject({
      alias: "f",
      aliases: ["A:R:f.gguf"],
      branch: "main",
      metadata: { legacy: { store: "model.list", model_format: "hf-gguf" } },
    });
    expect((await run()).changed).toBe(false);
  });
});

describe("run again", () => {
  const LIST = "a x main /1.yml one READY\na y main /2.yml two READY\nb x main /3.yml one READY\nbad\n";

  test("it finds everything there, and changes nothing", async () => {
    writeModelList(data, LIST);
    await run();
    const before = await registryModels(to);
    const again = await run();
    expect(again.counts).toEqual({ created: 0, already_there: 3, merged: 0, renamed: 0, refused: 1 });
    expect(again).toMatchObject({ changed: false, backup: null });
    expect(await registryModels(to)).toEqual(before);
  });

  test("it leaves alone what people changed, says where it differs, and adds what is new", async () => {
    writeModelList(data, "a x main /1.yml one READY\n");
    await run();
    {
      await using registry = await openRegistry(to, { actor: "me" });
      await registry.models.update("a", { alias: "mine", branch: "other", notes: "good" });
    }
    writeModelList(data, "a x main /1.yml one READY\nnew x main /2.yml new READY\n");
    const { entries } = await run();
    expect((await registryModels(to))["a"]).toMatchObject({ alias: "mine", branch: "other", notes: "good" });
    expect(outcomes(entries)).toEqual(["model.list 1 already_there", "model.list 2 created"]);
    expect(entries[0]).toMatchObject({
      fields: expect.arrayContaining([
        expect.objectContaining({ field: "branch", value: "other", from: "registry", other: "main" }),
      ]),
    });
  });

  test("it fills what was empty in a model that was registered otherwise, and keeps its names", async () => {
    {
      await using registry = await openRegistry(to);
      await registry.models.create({ modelId: "a", sourceType: "local", alias: null, authorRepo: "me" });
    }
    writeModelList(data, "a x main /1.yml one READY\n");
    const { entries } = await run();
    expect((await registryModels(to))["a"]).toMatchObject({
      authorRepo: "me",
      branch: "main",
      alias: "one",
      configPath: "/1.yml",
    });
    expect(entries).toMatchObject([{ outcome: "merged", into: "a" }]);
    expect((await run()).changed).toBe(false);
  });

  test("it sees files that came since", async () => {
    writeModelList(data, `a local imported ${data}/models/imported/a.yml a READY\n`);
    await run();
    writeModel(data, "models/imported/a.yml", "files: [models/a.gguf]", { "models/a.gguf": 4 });
    await run();
    expect((await registryModels(to))["a"]).toMatchObject({ availability: "present", sizeBytes: 4 });
    expect(await registryFiles(to, "a")).toHaveLength(2);
    expect((await run()).changed).toBe(false);
  });
});

test("the old stores and their folder are byte for byte what they were, with nothing beside them", async () => {
  writeModel(data, "models/imported/a.yml", "name: a", { "models/imported/a.gguf": 3 });
  writeModelList(data, "a local imported models/imported/a.yml a READY\nbroken\n");
  writeCortexDb(data, 3, [{ model_id: "a" }, { model_id: "b" }]);
  const before = contentsOf(data);
  await run({ dryRun: true });
  await run();
  await run();
  expect(contentsOf(data)).toEqual(before);
});

test("a dry run says the same and writes nothing, not even a folder", async () => {
  writeModelList(data, "a x main /1.yml one READY\nb x main /3.yml one READY\nbad\n");
  const dry = await run({ dryRun: true });
  expect(existsSync(join(to, ".."))).toBe(false);
  const real = await run();
  expect(dry.entries).toEqual(real.entries);
  expect(dry).toMatchObject({ verified: null, backup: null, report: null });
  expect((await run({ dryRun: true })).counts.already_there).toBe(2);
});

test("the report has every line, once, in a file that has its name only when all is done", async () => {
  writeModelList(data, "a x main /1.yml one READY\nbad\n");
  const report = join(data, "..", "report.jsonl");
  const { entries } = await run({ report });
  expect(
    readFileSync(report, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(entries);
  expect(readdirSync(join(data, "..")).toSorted()).toEqual(["cortexcpp", "report.jsonl"]);
});

test("an interruption while verifying keeps the report of what was written", async () => {
  writeModelList(data, "a x main /1.yml one READY\nbad\n");
  const interrupted = async (report?: string): Promise<string> => {
    const controller = new AbortController();
    const onProgress = (step: string): void => {
      if (step === "Verifying") controller.abort(new Error("stopped"));
    };
    const options = { from: data, env: {}, signal: controller.signal, onProgress };
    const given = report === undefined ? { to: join(to, "..", "..", "own.db") } : { to, report };
    return await migrate({ ...options, ...given }).then(
      () => "done",
      (error: Error) => error.message,
    );
  };
  const report = join(data, "..", "report.jsonl");
  expect(await interrupted(report)).toMatch(/while verifying.*The report is in .*report\.jsonl/);
  expect(readFileSync(report, "utf8").trim().split("\n")).toHaveLength(2);
  expect(await interrupted()).toMatch(/while verifying.*own\.db\.backups.*report\.jsonl/);
  // A run that changes nothing leaves nothing, interrupted or not.
  const backups = readdirSync(`${to}.backups`);
  await interrupted(report);
  expect(readdirSync(`${to}.backups`)).toEqual(backups);
});

describe("nothing is written", () => {
  test("when the old program changes a store meanwhile", async () => {
    const path = writeModelList(data, "a x main /1.yml one READY\n");
    const onEntry = (): void => void writeFile(path, "b x main /1.yml one READY\n".repeat(2));
    await expect(migrate({ from: data, to, env: {}, onEntry })).rejects.toThrow(/changed by another program/);
    expect(Object.keys(await registryModels(to))).toEqual([]);
  });

  test("when it is interrupted", async () => {
    writeModelList(
      data,
      Array.from({ length: 2000 }, (_, index) => `m${index} x main /m.yml m${index} READY\n`).join(""),
    );
    const controller = new AbortController();
    const stopped = migrate({
      from: data,
      to,
      env: {},
      signal: controller.signal,
      onEntry: () => controller.abort(new Error("stopped")),
    });
    await expect(stopped).rejects.toThrow("stopped");
    expect(Object.keys(await registryModels(to))).toEqual([]);
    expect((await run()).counts.created).toBe(2000);
  });

  test("to a file that is no registry, or is the old store itself", async () => {
    writeModelList(data, "a x main /1.yml one READY\n");
    const other = writeFile(
      join(data, "..", "precious.txt"),
      "precious text, no database at all".repeat(100),
    );
    await expect(migrate({ from: data, to: other, env: {} })).rejects.toMatchObject({
      code: "not_a_registry",
    });
    expect(readFileSync(other, "utf8")).toContain("precious");
    const list = join(data, "models", "model.list");
    await expect(migrate({ from: data, to: list, env: {} })).rejects.toThrow(/old store itself/);
    expect(readFileSync(list, "utf8")).toBe("a x main /1.yml one READY\n");
  });
});

test("SQL, prototypes and everything else that could be meant badly are only text", async () => {
  const hostile = [
    "'); DROP TABLE model;--",
    "__proto__",
    "constructor",
    "${x}",
    "%s",
    "../../etc/passwd",
    "-rf",
    "NULL",
    "a\u00adb",
    "🦙",
  ];
  writeModelList(
    data,
    hostile
      .map(
        (text, index) =>
          `${text.replaceAll(" ", "_")} ${text.replaceAll(" ", "_")} main /m${index}.yml alias-${index} READY\n`,
      )
      .join(""),
  );
  const { counts } = await run();
  expect(counts.created).toBe(hostile.length);
  expect(Object.keys(await registryModels(to))).toHaveLength(hostile.length);
  rmSync(data, { recursive: true });
});

test("a model that was deleted from the registry comes back, and that is said", async () => {
  writeModelList(data, "a x main /a.yml a READY\nb x main /b.yml b READY\n");
  await run();
  {
    await using registry = await openRegistry(to);
    await registry.models.delete("a");
  }
  const deleted = {
    outcome: "created",
    model_id: "a",
    notes: expect.arrayContaining([expect.objectContaining({ code: "was_deleted" })]) as unknown,
  };
  expect((await run({ dryRun: true })).entries[0]).toMatchObject(deleted);
  {
    await using registry = await openRegistry(to);
    await registry.models.delete("b");
  }
  expect((await run()).entries[0]).toMatchObject(deleted);
});

test("a carriage return at the end is no part of a line that is refused", async () => {
  writeFile(
    join(data, "models", "model.list"),
    Buffer.from("a x main /a.yml a READY\r\nbad\r\n\xff\r\n", "latin1"),
  );
  const { entries } = await run();
  expect(entries.slice(1).map(({ text }) => text)).toEqual(["bad", "\\xff"]);
});
