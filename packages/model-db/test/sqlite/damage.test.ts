import { copyFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import Database from "better-sqlite3";
import { describe, expect } from "vitest";

import { isRegistryError, openRegistry, type Registry } from "../../src/index.ts";
import { test } from "./folder.ts";

const model = (modelId: string): { modelId: string; sourceType: "local"; alias: null } => ({
  modelId,
  sourceType: "local",
  alias: null,
});

async function makeRegistry(path: string): Promise<void> {
  await using registry = await openRegistry(path);
  await registry.models.createMany(
    Array.from({ length: 300 }, (_, index) => ({
      ...model(`model-${index}`),
      notes: `needle ${index} `.repeat(20),
      tags: ["t"],
      metadata: { index },
      files: [{ path: "p", role: "weights" as const }],
    })),
  );
}

/** Asks and changes all kinds of things; what fails must fail as expected failures do. */
async function useAll(path: string): Promise<{ codes: Set<string>; raw: string[] }> {
  const codes = new Set<string>();
  const raw: string[] = [];
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (isRegistryError(error)) codes.add(error.code);
      else raw.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
      return undefined;
    }
  };
  const registry = await attempt(() => openRegistry(path));
  if (registry === undefined) return { codes, raw };
  const { models, files, history, runs }: Registry = registry;
  await attempt(() => models.list({ limit: 1000, total: true }));
  await attempt(() => models.list({ sort: { field: "notes" }, limit: 1000 }));
  await attempt(() => models.list({ search: "needle", limit: 1000 }));
  await attempt(() => models.count({ tags: { all: ["t"] } }));
  await attempt(() => models.names({ prefix: "", limit: 1000 }));
  await attempt(() => history.list({ limit: 1000 }));
  for (let index = 0; index < 300; index += 9) {
    await attempt(() => models.resolve(`model-${index}`));
    await attempt(() => files.list(`model-${index}`));
    await attempt(() => history.modelAt(`model-${index}`, Date.now()));
  }
  await attempt(() => models.update("model-7", { notes: "changed", tags: ["u"] }));
  await attempt(() => models.create(model("new")));
  await attempt(() => runs.acquire("model-9", { holder: "h" }));
  await attempt(() => models.delete("model-11"));
  await attempt(() => registry.close());
  return { codes, raw };
}

// https://www.sqlite.org/fileformat2.html#the_rollback_journal: of a file that was empty before.
function writeJournal(path: string): void {
  const header = Buffer.alloc(512);
  header.write("d9d505f920a163d7", "hex");
  header.writeUInt32BE(512, 20);
  header.writeUInt32BE(4096, 24);
  writeFileSync(path, header);
}

test("a registry whose making was cut off is made anew", async ({ folder }) => {
  const path = join(folder, "registry.db");
  const begun = new Database(path);
  begun.pragma("journal_mode = WAL");
  begun.close();
  writeJournal(`${path}-journal`);
  await using registry = await openRegistry(path);
  await registry.models.create(model("first"));
  expect(await registry.models.count()).toBe(1);
});

describe("a damaged file", () => {
  test("fails as expected failures do, whatever of it is damaged", async ({ folder }) => {
    const whole = join(folder, "whole.db");
    await makeRegistry(whole);
    const bytes = readFileSync(whole);
    const pages = bytes.length / 4096;
    const raw: string[] = [];
    const seen = new Set<string>();
    for (let round = 0; round < 40; round++) {
      const path = join(folder, `${round}.db`);
      const damaged = Buffer.from(bytes);
      // Every page has its turn: overwritten, or a few of its bits flipped.
      const start = Math.floor((round * pages) / 40) * 4096 + (round === 0 ? 100 : 0);
      if (round % 2 === 0) damaged.fill(round, start, start + 2000);
      else for (let bit = 0; bit < 60; bit++) damaged[start + ((bit * 61) % 4000)]! ^= 1 << (bit % 8);
      writeFileSync(path, damaged);
      const outcome = await useAll(path);
      raw.push(...outcome.raw.map((text) => `round ${round}: ${text}`));
      for (const code of outcome.codes) seen.add(code);
    }
    expect(raw).toEqual([]);
    expect([...seen]).toContain("database_damaged");
  }, 30_000);

  test("that was cut off is told as damaged, and is not made shorter or longer", async ({ folder }) => {
    const whole = join(folder, "whole.db");
    await makeRegistry(whole);
    const { length } = readFileSync(whole);
    for (const size of [4096, 8192, Math.floor(length / 2), length - 4096, length - 100]) {
      const path = join(folder, `${size}.db`);
      copyFileSync(whole, path);
      truncateSync(path, size);
      const { raw, codes } = await useAll(path);
      expect(raw, `${size} bytes`).toEqual([]);
      // The last page may hold what nobody asks for.
      if (size <= length / 2) expect([...codes], `${size} bytes`).toContain("database_damaged");
    }
  });

  test("a row that holds no JSON where it should is told as damaged", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await makeRegistry(path);
    const database = new Database(path);
    database.pragma("ignore_check_constraints = ON");
    database.exec("UPDATE model SET metadata = '{' WHERE model_id = 'model-1'");
    database.exec("UPDATE model SET tags = 'x' WHERE model_id = 'model-2'");
    database.exec(
      "DROP TRIGGER model_event_no_update; UPDATE model_event SET after = '{' WHERE event_id = 3",
    );
    database.close();
    await using registry = await openRegistry(path);
    const damaged = { name: "RegistryError", code: "database_damaged" };
    await expect(registry.models.get("model-1")).rejects.toMatchObject(damaged);
    await expect(registry.models.resolveJson("model-1")).rejects.toMatchObject(damaged);
    await expect(registry.models.list({ limit: 1000 })).rejects.toMatchObject(damaged);
    await expect(registry.models.listJson({ limit: 1000 })).rejects.toMatchObject(damaged);
    await expect(registry.models.summaries({ limit: 1000 })).rejects.toMatchObject(damaged);
    await expect(registry.models.update("model-2", { notes: "n" })).rejects.toMatchObject(damaged);
    await expect(registry.history.list({ order: "asc" })).rejects.toMatchObject(damaged);
    expect((await registry.models.get("model-5")).metadata).toEqual({ index: 5 });
  });
});
