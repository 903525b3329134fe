import { join } from "node:path";

import type Database from "better-sqlite3";
import { beforeEach, describe, expect, vi } from "vitest";

import { openRegistry, type NewModel, type Registry } from "../../src/index.ts";
import { test } from "./folder.ts";
import { toSchema } from "./to-schema.ts";

interface Opened {
  database: Database.Database;
  readonly: boolean;
  prepared: string[];
}
const opened = vi.hoisted((): Opened[] => []);

// Every connection that the code opens is noted, and works as ever.
vi.mock("better-sqlite3", async (importOriginal) => {
  const { default: Original } = await importOriginal<{ default: typeof Database }>();
  class Noted extends (Original as unknown as new (
    path: string,
    options: Database.Options,
  ) => Database.Database) {
    constructor(path: string, options: Database.Options) {
      super(path, options);
      const note: Opened = { database: this, readonly: options.readonly === true, prepared: [] };
      opened.push(note);
      const prepare = this.prepare.bind(this);
      this.prepare = (sql: string) => {
        note.prepared.push(sql);
        return prepare(sql);
      };
    }
  }
  return { default: Noted };
});

beforeEach(() => void opened.splice(0));

function preparedSoFar(): number {
  return opened.reduce((sum, { prepared }) => sum + prepared.length, 0);
}

function model(modelId: string, notes = ""): NewModel {
  return { modelId, sourceType: "local", notes };
}

async function useAll(registry: Registry, id: string, mayWrite: boolean): Promise<void> {
  if (mayWrite) {
    await registry.models.create({ modelId: id, sourceType: "local", alias: null });
    await registry.transaction(({ models }) => models.update(id, { notes: "n" }));
  }
  await registry.models.get(id);
  await registry.models.list({ total: true });
  await registry.history.list();
}

function pragma({ database }: Opened, name: string): unknown {
  return database.pragma(name, { simple: true });
}

describe("every connection to SQLite", () => {
  test("is durable, checks keys, and trusts nothing, however it was opened", async ({ folder }) => {
    const path = join(folder, "registry.db");
    const ways = ["create", "create", "write", "read"] as const;
    for (const [index, mode] of ways.entries()) {
      opened.splice(0);
      const registry = await openRegistry(path, { mode });
      await useAll(registry, mode === "read" ? "m0" : `m${index}`, mode !== "read");
      const open = opened.filter(({ database }) => database.open);
      expect(open.filter(({ readonly }) => readonly).length, `${mode}: a connection for reading`).toBe(1);
      expect(open.filter(({ readonly }) => !readonly).length, `${mode}: a connection for writing`).toBe(
        mode === "read" ? 0 : 1,
      );
      for (const connection of open) {
        expect(pragma(connection, "synchronous"), "FULL").toBe(2);
        expect(pragma(connection, "foreign_keys")).toBe(1);
        expect(pragma(connection, "trusted_schema")).toBe(0);
        expect(pragma(connection, "cell_size_check")).toBe(1);
        expect(pragma(connection, "journal_mode")).toBe("wal");
        expect(pragma(connection, "ignore_check_constraints")).toBe(0);
        expect(pragma(connection, "writable_schema")).toBe(0);
        if (connection.readonly) continue;
        expect(pragma(connection, "wal_autocheckpoint")).toBe(1000);
        expect(pragma(connection, "journal_size_limit")).toBe(64 * 1024 * 1024);
      }
      await registry.close();
      expect(opened.filter(({ database }) => database.open)).toEqual([]);
    }
  });

  test("is closed when opening fails", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await (await openRegistry(path)).close();
    const newer = new (opened[0]!.database.constructor as new (
      path: string,
      options: object,
    ) => Database.Database)(path, {});
    toSchema(newer, 99);
    newer.close();
    await expect(openRegistry(path)).rejects.toThrow("99");
    expect(opened.filter(({ database }) => database.open)).toEqual([]);
  });

  test("begins every change by taking the lock for writing", async ({ folder }) => {
    const registry = await openRegistry(join(folder, "registry.db"));
    await useAll(registry, "a", true);
    const all = opened.flatMap(({ prepared }) => prepared).filter((sql) => /^\s*BEGIN/i.test(sql));
    expect(all.length).toBeGreaterThan(0);
    for (const sql of all) expect(sql.toUpperCase()).toContain("IMMEDIATE");
    await registry.close();
  });
});

describe("statements", () => {
  test("are prepared once and kept", async ({ folder }) => {
    const registry = await openRegistry(join(folder, "registry.db"));
    await registry.models.create({ modelId: "a", sourceType: "local", tags: ["t"] });
    const round = async (index: number): Promise<void> => {
      const { models, files, runs, history } = registry;
      await models.create({ modelId: `m${index}`, sourceType: "local", tags: ["t"] });
      await models.update("a", { notes: `${index}` });
      await files.put("a", { path: `${index}`, role: "other" });
      const { token } = await runs.acquire("a", { holder: "h" });
      await runs.renew(token);
      await runs.release(token);
      await models.delete(`m${index}`);
      await models.find("a");
      await models.findByName(`m${index}`);
      await models.resolveMany(["a", `${index}`]);
      await models.names({ prefix: `m${index}` });
      await models.list({ filter: { size_bytes: { gt: index } }, tags: { all: ["t"] }, limit: 1 + index });
      await models.list({ search: `needle ${index}`, sort: { field: "notes" } });
      await models.count({ filter: { notes: { like: `${index}` } } });
      await history.list({ since: index });
    };
    await round(0);
    await round(1);
    const before = preparedSoFar();
    for (let index = 2; index < 20; index++) await round(index);
    expect(preparedSoFar()).toBe(before);
    await registry.close();
  });

  test("are not kept without end, however many shapes are asked for, and all go on to work", async ({
    folder,
  }) => {
    const registry = await openRegistry(join(folder, "registry.db"));
    await registry.models.create({ modelId: "a", sourceType: "local", alias: null });
    for (let index = 1; index <= 700; index++) {
      const model_id = Array.from({ length: (index % 350) + 1 }, () => "a");
      expect(await registry.models.count({ filter: { model_id } })).toBe(1);
      if (index % 100 === 0) {
        await registry.models.update("a", { notes: `${index}` });
        expect(await registry.models.get("a")).toMatchObject({ notes: `${index}` });
      }
    }
    await registry.close();
  });

  test("are given values, never written into the SQL", async ({ folder }) => {
    const registry = await openRegistry(join(folder, "registry.db"));
    const secret = "secret'value";
    await registry.models.create({ modelId: secret, sourceType: "local", notes: secret, tags: ["secret"] });
    await registry.models.list({
      filter: { notes: { like: secret } },
      search: secret,
      tags: { all: ["secret"] },
    });
    await registry.models.list({
      sort: { field: "notes" },
      filter: { size_bytes: { ne: 424242 } },
      limit: 77,
    });
    await registry.history.list({ actor: secret, modelId: secret });
    const sql = opened.flatMap(({ prepared }) => prepared).join("\n");
    expect(sql).not.toContain("secret");
    expect(sql).not.toContain("424242");
    expect(sql).not.toContain("77");
    await registry.close();
  });
});

describe("a full disk", () => {
  test("refuses the change, leaves all as it was, and is over when there is room again", async ({
    folder,
  }) => {
    const registry = await openRegistry(join(folder, "registry.db"));
    await registry.models.create(model("a"));
    const writer = opened.find(({ readonly }) => !readonly)!.database;
    const pages = writer.pragma("page_count", { simple: true }) as number;
    writer.pragma(`max_page_count = ${pages}`);
    await expect(registry.models.create(model("big", "x".repeat(60_000)))).rejects.toMatchObject({
      name: "RegistryError",
      code: "disk_full",
    });
    expect(await registry.models.find("big")).toBeUndefined();
    expect(await registry.models.count()).toBe(1);
    writer.pragma("max_page_count = 1000000");
    await registry.models.create(model("big", "x".repeat(60_000)));
    expect(await registry.models.count()).toBe(2);
    await registry.close();
  });

  test("of changes made at the same time, exactly those that were confirmed are there", async ({
    folder,
  }) => {
    const path = join(folder, "registry.db");
    const registry = await openRegistry(path);
    await registry.models.create(model("a"));
    const writer = opened.find(({ readonly }) => !readonly)!.database;
    writer.pragma(`max_page_count = ${(writer.pragma("page_count", { simple: true }) as number) + 40}`);
    const results = await Promise.allSettled(
      Array.from({ length: 16 }, (_, index) =>
        registry.models.create(model(`m${index}`, index % 4 === 3 ? "x".repeat(60_000) : "")),
      ),
    );
    expect(results.some(({ status }) => status === "rejected")).toBe(true);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "disk_full" });
    }
    await registry.close();
    const reopened = await openRegistry(path);
    for (const [index, { status }] of results.entries()) {
      expect((await reopened.models.find(`m${index}`)) !== undefined, `m${index}`).toBe(
        status === "fulfilled",
      );
    }
    await reopened.close();
  });
});
