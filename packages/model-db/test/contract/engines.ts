import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import Database from "better-sqlite3";
import { afterAll, test as base, type TestAPI } from "vitest";

import { openRegistry, type Registry, type RegistryOptions } from "../../src/index.ts";

/** A place for one registry, which a test can also look at behind the registry's back. */
export interface Store {
  readonly location: string;
  /** Opens the registry, at first a new one. Whatever a test leaves open is closed after it. */
  open(options?: RegistryOptions): Promise<Registry>;
  /** Runs SQL that every engine understands. */
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** All that is stored, as text: equal dumps are equal registries. */
  dump(): Promise<string>;
}

/** An engine that keeps every promise of the contract. */
export interface EngineUnderTest {
  readonly name: string;
  /** A vitest `test` with an empty store of its own, and a registry opened in it. */
  readonly test: TestAPI<{ store: Store; registry: Registry }>;
  /** Makes a store for a property, which needs many in one test. */
  readonly createStore: () => Promise<Store & AsyncDisposable>;
}

let newRegistry: Promise<string> | undefined;
afterAll(async () => {
  if (newRegistry !== undefined) rmSync(dirname(await newRegistry), { recursive: true, force: true });
});

/** The file of a new registry, to be copied: a test that is not about making one need not wait for it. */
async function makeNewRegistry(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "model-db-new-"));
  const location = join(folder, "registry.db");
  await (await openRegistry(location)).close();
  return location;
}

async function createSqliteStore(): Promise<Store & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), "model-db-"));
  const location = join(folder, "registry.db");
  const opened: Registry[] = [];
  const withDatabase = <T>(use: (database: Database.Database) => T): T => {
    const database = new Database(location, { timeout: 2000 });
    try {
      return use(database);
    } finally {
      database.close();
    }
  };
  return {
    location,
    async open(options) {
      newRegistry ??= makeNewRegistry();
      if (!existsSync(location)) copyFileSync(await newRegistry, location);
      const registry = await openRegistry(location, options);
      opened.push(registry);
      return registry;
    },
    async query(sql) {
      return withDatabase((database) => {
        const statement = database.prepare<[], Record<string, unknown>>(sql);
        if (statement.reader) return statement.all();
        statement.run();
        return [];
      });
    },
    async dump() {
      return withDatabase((database) => {
        const tables = database
          .prepare<[], { name: string; sql: string }>(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name",
          )
          .all();
        return JSON.stringify(
          tables.map(({ name }) => [name, database.prepare(`SELECT * FROM "${name}"`).raw().all()]),
        );
      });
    },
    async [Symbol.asyncDispose]() {
      for (const registry of opened) await registry.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function underTest(name: string, createStore: EngineUnderTest["createStore"]): EngineUnderTest {
  const test = base.extend<{ store: Store; registry: Registry }>({
    // oxlint-disable-next-line no-empty-pattern -- vitest reads the names of the fixtures that it uses
    store: async ({}, use) => {
      await using store = await createStore();
      await use(store);
    },
    registry: async ({ store }, use) => {
      await use(await store.open({ actor: "tester" }));
    },
  });
  return { name, test, createStore };
}

/** The engines that the contract holds for. */
export const ENGINES: readonly EngineUnderTest[] = [underTest("SQLite", createSqliteStore)];
