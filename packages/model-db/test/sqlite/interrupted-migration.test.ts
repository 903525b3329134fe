import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import Database from "better-sqlite3";
import { describe, expect } from "vitest";

import { openRegistry } from "../../src/index.ts";
import { MIGRATIONS } from "../../src/migrations/index.ts";
import type { Migration } from "../../src/migrations/migration.ts";
import { startProcess } from "../processes/start.ts";
import { test } from "./folder.ts";

const LATEST = MIGRATIONS.length;
const MODELS = 3000;
const canTrace = spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0;

/** A registry of an older version with models in it. */
async function makeOld(path: string, version: number): Promise<void> {
  await using registry = await openRegistry(path);
  await registry.models.createMany(
    Array.from({ length: MODELS }, (_, index) => ({
      modelId: `model-${index}`,
      sourceType: "local" as const,
      alias: null,
      notes: `some notes to be indexed ${index} ${index * 7919}`,
    })),
  );
  await registry.migrate(version);
}

function namesMadeBy({ sqlite: { up } }: Migration): string[] {
  const made = [...up.matchAll(/CREATE (?:VIRTUAL )?(?:TABLE|INDEX|TRIGGER|VIEW) (\w+)/g)];
  // What is made only where there is none stays on the way down.
  return made
    .map(([, name]) => name!)
    .filter((name) => name !== "IF" && !up.includes(`ALTER TABLE ${name} RENAME`));
}

/** What is there is one version, whole: its tables and no others, its record, and a sound file. */
function expectWhole(path: string, atLeast: number): number {
  const database = new Database(path);
  const version = database.pragma("user_version", { simple: true }) as number;
  expect(version).toBeGreaterThanOrEqual(atLeast);
  expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
  const entries = database
    .prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'")
    .pluck()
    .all() as string[];
  const present = new Set(entries);
  const made = new Set(MIGRATIONS.slice(0, version).flatMap(namesMadeBy));
  for (const name of MIGRATIONS.flatMap(namesMadeBy)) {
    expect(present.has(name), `${name} at ${version}`).toBe(made.has(name));
  }
  const recorded = present.has("migration")
    ? database.prepare("SELECT version FROM migration ORDER BY version").pluck().all()
    : [];
  expect(recorded).toEqual(Array.from({ length: version }, (_, index) => index + 1));
  if (atLeast > 0) expect(database.prepare("SELECT count(*) FROM model").pluck().get()).toBe(MODELS);
  database.close();
  return version;
}

async function expectGoesOn(path: string, models: number): Promise<void> {
  await using registry = await openRegistry(path);
  expect((await registry.schema()).version).toBe(LATEST);
  expect(await registry.models.count()).toBe(models);
  if (models > 0) expect(await registry.models.count({ search: "indexed" })).toBe(models);
  await registry.models.create({ modelId: "the registry goes on", sourceType: "local", alias: null });
}

describe("a migration that is interrupted", () => {
  test("by SIGKILL at some moment leaves the version before or the one after, whole", async ({ folder }) => {
    const template = join(folder, "template.db");
    await makeOld(template, 3);
    const versions = new Set<number>();
    const kill = async (round: number): Promise<void> => {
      const path = join(folder, `${round}.db`);
      copyFileSync(template, path);
      const child = startProcess("migrate.ts", { location: path, from: 3 });
      await child.next("migrating");
      await sleep(round * 10);
      child.kill("SIGKILL");
      await child.ended;
      versions.add(expectWhole(path, 3));
      await expectGoesOn(path, MODELS);
    };
    for (let round = 0; round < 8; round += 2) await Promise.all([kill(round), kill(round + 1)]);
    expect(versions, "at least one was in time").toContain(3);
  }, 60_000);

  test.skipIf(!canTrace)(
    "by SIGKILL at its n-th write leaves the version before or the one after, whole (needs strace)",
    async ({ folder }) => {
      const template = join(folder, "template.db");
      await makeOld(template, 1);
      const seen = new Set<string>();
      const kill = async (from: number, write: number): Promise<void> => {
        const place = join(folder, `${from}-${write}`);
        mkdirSync(place);
        const path = join(place, "registry.db");
        if (from > 0) copyFileSync(template, path);
        const through = [
          "strace",
          "-f",
          "-o",
          "/dev/null",
          "-e",
          "trace=pwrite64",
          "-e",
          `inject=pwrite64:signal=SIGKILL:when=${write}`,
        ];
        const child = startProcess("migrate.ts", { location: path, from }, { through });
        await child.ended;
        seen.add(`from ${from}: ${expectWhole(path, from)}`);
        await expectGoesOn(path, from === 0 ? 0 : MODELS);
      };
      const moments: [number, number][] = [1, 3, 8, 12, 16, 24, 30].map((write): [number, number] => [
        0,
        write,
      ]);
      // Each thread counts for itself: the first is met while a snapshot is taken, the others in the steps.
      moments.push(...[2, 200, 400].map((write): [number, number] => [1, write]));
      for (let index = 0; index < moments.length; index += 2) {
        await Promise.all(moments.slice(index, index + 2).map(([from, write]) => kill(from, write)));
      }
      expect(seen.size, [...seen].join(", ")).toBeGreaterThan(2);
    },
    60_000,
  );
});
