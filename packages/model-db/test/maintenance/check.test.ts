import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect } from "vitest";

import {
  checkRegistry,
  isRegistryError,
  openRegistry,
  repairRegistry,
  type Finding,
  type NewModelFile,
} from "../../src/index.ts";
import { SCHEMA_VERSION } from "../../src/migrations/schema-version.ts";
import { localModel } from "../contract/local-model.ts";
import { arbitraryOperation, perform } from "../contract/random-operations.ts";
import { expectRefusal } from "../contract/refusal.ts";
import { contentsOf, test } from "../sqlite/folder.ts";

async function check(location: string, full = true): Promise<Finding[]> {
  const findings = [];
  for await (const found of checkRegistry(location, { full })) findings.push(found);
  return findings;
}

const codes = (findings: readonly Finding[]): string[] =>
  [...new Set(findings.map(({ code }) => code))].toSorted();

async function make(location: string): Promise<void> {
  await using registry = await openRegistry(location);
  await registry.models.createMany(
    Array.from({ length: 200 }, (_, index) =>
      localModel(`model-${index}`, {
        alias: `alias-${index}`,
        aliases: [`more-${index}`],
        tags: ["t", `t${index}`],
        notes: `needle ${index} `.repeat(20),
        availability: "missing",
        files: [{ path: `/p/${index}`, role: "weights" }],
      }),
    ),
  );
  await registry.models.update("model-1", { notes: "changed", pinned: true });
  await registry.models.delete("model-2");
  await registry.files.put("model-3", { path: "/p/3", role: "weights", sizeBytes: 7 });
  await registry.access.users.create({ name: "ann", grants: [{ role: "reader" }] });
  await registry.access.tokens.create("ann");
}

/** Changes the file as no program of ours does. */
function spoil(location: string, sql: string): void {
  const database = new Database(location);
  database.unsafeMode();
  database.pragma("writable_schema = ON");
  database.exec(sql);
  database.close();
}

const file = (path: string): NewModelFile[] => [{ path, role: "weights", sizeBytes: 5 }];

describe("a registry that is what was written", () => {
  test("has no finding, quick or full, and is not touched", async ({ folder }) => {
    const location = join(folder, "registry.db");
    await make(location);
    const before = contentsOf(folder);
    expect(await check(location, false)).toEqual([]);
    expect(await check(location)).toEqual([]);
    expect(contentsOf(folder)).toMatchObject(before);
  });

  test("has none either after whatever was done to it", async ({ folder }) => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryOperation, { minLength: 30, maxLength: 60 }), async (operations) => {
        const location = join(folder, `${round++}.db`);
        const registry = await openRegistry(location);
        for (const operation of operations) {
          await perform(registry, operation, "someone").catch((error: unknown) => {
            if (!isRegistryError(error)) throw error;
          });
        }
        await registry.close();
        expect(codes(await check(location)).filter((code) => code !== "file_gone")).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });

  test("can be checked while others write", async ({ folder }) => {
    const location = join(folder, "registry.db");
    await make(location);
    await using registry = await openRegistry(location);
    const write = async (): Promise<void> => {
      for (let number = 0; number < 40; number++) {
        await registry.models.create(localModel(`new-${number}`, { tags: ["t"], aliases: [`a${number}`] }));
        await registry.models.delete(`new-${number}`);
      }
    };
    const [found] = await Promise.all([check(location), write()]);
    expect(found).toEqual([]);
  });

  test("finds nothing while the search index is half-way through merging its parts", async ({ folder }) => {
    const location = join(folder, "registry.db");
    {
      await using registry = await openRegistry(location);
      for (let part = 0; part < 4; part++) {
        const models = Array.from({ length: 300 }, (_, index) => localModel(`part-${part}-model-${index}`));
        await registry.models.createMany(models);
      }
    }
    spoil(location, "INSERT INTO model_search (model_search, rank) VALUES ('merge', 8)");
    const database = new Database(location, { readonly: true });
    const trimmed = database
      .prepare(
        `SELECT count(*) FROM model_search_idx WHERE NOT EXISTS
           (SELECT 1 FROM model_search_data WHERE id = (segid << 37) + (pgno >> 1))`,
      )
      .pluck()
      .get();
    database.close();
    expect(trimmed).toBeGreaterThan(0);
    expect(await check(location)).toEqual([]);
  });
});

describe("what was changed by something else is found, each kind under its code", () => {
  const cases: readonly [code: string, sql: string, quick: boolean][] = [
    ["row_checksum", "UPDATE model SET notes = 'flipped' WHERE model_id = 'model-7'", true],
    ["row_checksum", "UPDATE model_file SET size_bytes = 9 WHERE model_id = 'model-7'", false],
    ["row_unsigned", "UPDATE model SET row_checksum = '' WHERE model_id = 'model-7'", true],
    ["name_missing", "DELETE FROM model_name WHERE name = 'more-7'", true],
    ["name_astray", "INSERT INTO model_name VALUES ('ghost', 8)", true],
    ["tag_missing", "DELETE FROM model_tag WHERE tag = 't7'", true],
    ["tag_astray", "INSERT INTO model_tag VALUES (9, 'ghost')", true],
    ["search_missing", "DELETE FROM model_search WHERE rowid = 8", true],
    ["search_astray", "INSERT INTO model_search (rowid, text) VALUES (9999, 'ghost text')", true],
    [
      "search_text",
      "DELETE FROM model_search WHERE rowid = 8; INSERT INTO model_search (rowid, text) VALUES (8, 'other text')",
      false,
    ],
    [
      "search_text",
      "DELETE FROM model_search_idx WHERE segid = (SELECT max(segid) FROM model_search_idx)",
      false,
    ],
    [
      "search_text",
      "UPDATE model_search_data SET block = x'00' WHERE id = (SELECT max(id) FROM model_search_data WHERE id < 65536 << 37)",
      false,
    ],
    ["event_missing", "UPDATE registry SET indexed_event_id = 100", false],
    ["event_astray", "INSERT INTO model_event_index VALUES ('model-7', 1)", false],
    [
      "reference",
      "PRAGMA foreign_keys = OFF; INSERT INTO model_file (model_id, path, role) VALUES ('nobody', 'p', 'weights')",
      false,
    ],
    ["history_differs", "DELETE FROM model WHERE model_id = 'model-7'", false],
    [
      "history_unknown",
      "INSERT INTO model (model_id, source_type, created_at, updated_at) VALUES ('x', 'local', 1, 1)",
      false,
    ],
    [
      "history_gap",
      "DROP TRIGGER model_event_no_delete; DELETE FROM model_event WHERE event_id = 201",
      false,
    ],
    [
      "row_checksum",
      "DROP TRIGGER model_event_no_update; UPDATE model_event SET actor = 'x' WHERE event_id = 5",
      false,
    ],
  ];
  for (const [code, sql, quick] of cases) {
    test(`${code}: ${sql}`, async ({ folder }) => {
      const location = join(folder, "registry.db");
      await make(location);
      spoil(location, sql);
      const full = await check(location);
      expect(codes(full)).toContain(code);
      for (const { message, remedy, subject } of full) {
        expect(message).toMatch(/\.$/);
        expect(remedy).toMatch(/\.$/);
        expect(subject).not.toBe("");
      }
      expect(codes(await check(location, false)).includes(code)).toBe(quick);
    });
  }
});

test("files and configurations that are gone, have another size or cannot be read are named", async ({
  folder,
}) => {
  const location = join(folder, "registry.db");
  mkdirSync(join(folder, "models"));
  writeFileSync(join(folder, "models", "whole.gguf"), "12345");
  writeFileSync(join(folder, "models", "cut.gguf"), "12");
  writeFileSync(join(folder, "models", "good.yml"), "name: good\nstop:\n  - a\n");
  writeFileSync(join(folder, "models", "bad.yml"), "name: 'never ends\n  - [");
  {
    await using registry = await openRegistry(location);
    const { models } = registry;
    await models.create(
      localModel("whole", {
        files: file(join(folder, "models", "whole.gguf")),
        configPath: "models/good.yml",
      }),
    );
    await models.create(localModel("cut", { files: file("models/cut.gguf"), configPath: "models/bad.yml" }));
    await models.create(
      localModel("gone", { files: file("models/gone.gguf"), configPath: "models/gone.yml" }),
    );
    symlinkSync("circle", join(folder, "circle"));
    await models.create(localModel("circle", { files: file("circle/c.gguf") }));
    await models.create(localModel("away", { files: file("models/gone.gguf"), availability: "missing" }));
  }
  const found = await check(location);
  expect(found.map(({ code, subject, severity }) => `${code} ${subject} ${severity}`)).toEqual([
    "file_gone circle warning",
    "file_size cut warning",
    "file_gone gone warning",
    "config_invalid cut warning",
    "config_gone gone warning",
  ]);
});

test("a lease of a process that has ended is named; one that lives is not", async ({ folder }) => {
  const location = join(folder, "registry.db");
  await using registry = await openRegistry(location);
  await registry.models.create(localModel("a"));
  await registry.models.create(localModel("b"));
  const { pid } = spawnSync("true");
  await registry.runs.acquire("a", { holder: "dead", pid, node: hostname() });
  await registry.runs.acquire("b", { holder: "alive" });
  const found = await check(location, false);
  expect(found.map(({ code, subject }) => [code, subject])).toEqual([["lease_of_dead", "a"]]);
});

test("a registry that is not there, or is another program's file, is refused", async ({ folder }) => {
  await expectRefusal("not_found", check(join(folder, "none.db")));
  const other = join(folder, "other.db");
  writeFileSync(other, "some text that is no database. ".repeat(100));
  await expectRefusal("not_a_registry", check(other));
  const empty = join(folder, "empty.db");
  new Database(empty).exec("CREATE TABLE t (a); DROP TABLE t;").close();
  await expectRefusal("not_found", check(empty));
  mkdirSync(`${empty}.backups`);
  writeFileSync(join(`${empty}.backups`, "backup.json"), "{}");
  expect(codes(await check(empty))).toEqual(["unreadable"]);
});

test("a damaged file gives findings, whatever the damage is, and never a crash", async ({ folder }) => {
  const [whole, location] = [join(folder, "whole.db"), join(folder, "registry.db")];
  await make(whole);
  // What says that a file which is none any more was a registry.
  mkdirSync(`${location}.backups`);
  writeFileSync(join(`${location}.backups`, "backup.json"), "{}");
  const bytes = readFileSync(whole);
  const pages = bytes.length / 4096;
  const shown = shownBy(whole);
  for (let page = 0; page < pages; page++) {
    const copy = Buffer.from(bytes);
    copy.fill(page % 3 === 0 ? 0 : 0xa5, page * 4096 + (page % 2) * 50, (page + 1) * 4096);
    writeFileSync(location, copy);
    const findings = await check(location);
    // Free pages hold nothing, nor do those of what is empty behind their header.
    const isNoticed = findings.some(({ severity }) => severity === "damage") || shownBy(location) === shown;
    expect(isNoticed, `page ${page}`).toBe(true);
  }
  for (let page = 0; page < pages; page += 9) {
    copyFileSync(whole, location);
    truncateSync(location, page * 4096);
    expect(
      (await check(location)).some(({ severity }) => severity === "damage"),
      `cut at ${page}`,
    ).toBe(true);
  }
  writeFileSync(location, "no database any more");
  expect(codes(await check(location))).toEqual(["unreadable"]);
});

/** What SQLite shows of the tables with checksums; `undefined` where it cannot. */
function shownBy(location: string): string | undefined {
  const database = new Database(location, { readonly: true });
  try {
    const tables = ["model", "model_file", "model_event"];
    return JSON.stringify(tables.map((table) => database.prepare(`SELECT * FROM ${table}`).all()));
  } catch {
    return undefined;
  } finally {
    database.close();
  }
}

test("a header that points to no free page, or tells another schema, is found and repaired", async ({
  folder,
}) => {
  const [whole, location] = [join(folder, "whole.db"), join(folder, "registry.db")];
  await make(whole);
  const cleared = new Database(whole);
  cleared.exec("CREATE TABLE ballast AS SELECT zeroblob(100000) AS bytes; DROP TABLE ballast").close();
  const bytes = readFileSync(whole);
  const [freePage, freePages, schemaVersion] = [32, 36, 60];
  expect(bytes.readUInt32BE(freePages)).toBeGreaterThan(0);
  for (const [at, value] of [
    [freePage, 0x7f000001],
    [freePages, 1],
    [schemaVersion, SCHEMA_VERSION - 1],
    [schemaVersion, 0x50000006],
  ] as const) {
    const damaged = Buffer.from(bytes);
    damaged.writeUInt32BE(value, at);
    writeFileSync(location, damaged);
    expect(
      (await check(location, false)).some(({ severity }) => severity === "damage"),
      `${at}`,
    ).toBe(true);
    if (at === schemaVersion) await expectRefusal("database_damaged", openRegistry(location));
    expect(await repairRegistry(location), `${at}`).toBeDefined();
    expect((await check(location)).filter(({ severity }) => severity === "damage")).toEqual([]);
  }
});

test("a flipped bit that SQLite would show is found", async ({ folder }) => {
  const [whole, location] = [join(folder, "whole.db"), join(folder, "registry.db")];
  await make(whole);
  const [bytes, shown] = [readFileSync(whole), shownBy(whole)];
  let flipped = 0;
  for (const text of ["needle 17 ", "model-17", "/p/17"]) {
    for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, at + 4096)) {
      const copy = Buffer.from(bytes);
      copy[at + 2]! ^= 4;
      writeFileSync(location, copy);
      // Pages keep the remains of what has moved.
      if (shownBy(location) === shown) continue;
      flipped++;
      expect((await check(location)).length, `${text} at ${at}`).toBeGreaterThan(0);
    }
  }
  expect(flipped).toBeGreaterThan(10);
});
