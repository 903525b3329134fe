import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openRegistry } from "@cortex/model-db";
import Database from "better-sqlite3";

import { DATASET_VERSION, models } from "./dataset.ts";

/** Where a registry of a size is, in words that another process understands. */
export interface FixturePlace {
  readonly size: number;
  /** Nobody writes to it. */
  readonly path: string;
  /** A folder of this run for whatever a case makes; gone afterwards. */
  readonly folder: string;
}

/** A registry of a size, which cases read, and from which they get copies to write to. */
export interface Fixture extends FixturePlace {
  /**
   * A copy of the registry that cases can write to: the same one for the same name, so that there are
   * few of them. None of its pages waits for the disk when it is handed out.
   */
  copy(name: string): string;
}

/** A fixture that is removed by whoever opened it; what is in the cache stays. */
export interface OpenFixture extends Fixture {
  dispose(): void;
}

/**
 * The registry of a size. One that is dear to make is kept in a cache, under what decides its
 * contents, and made once.
 *
 * @param cacheFolder where it is kept.
 */
export async function openFixture(size: number, cacheFolder: string): Promise<OpenFixture> {
  const folder = mkdtempSync(join(tmpdir(), "cortex-bench-"));
  const dispose = (): void =>
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  process.once("exit", dispose);
  const path = join(cacheFolder, `${size}-${await fingerprint(folder)}.db`);
  if (!existsSync(path)) {
    mkdirSync(cacheFolder, { recursive: true });
    // What an older schema had left is of no use any more.
    for (const old of readdirSync(cacheFolder))
      if (old.startsWith(`${size}-`)) rmSync(join(cacheFolder, old));
    await build(size, `${path}.part`);
    renameSync(`${path}.part`, path);
  }
  return {
    ...fixtureAt({ size, path, folder }),
    dispose() {
      process.off("exit", dispose);
      dispose();
    },
  };
}

/** The fixture that another process has opened, and removes. */
export function fixtureAt(place: FixturePlace): Fixture {
  const { path, folder } = place;
  return {
    ...place,
    copy(name) {
      const copied = join(folder, `${name}.db`);
      if (existsSync(copied)) return copied;
      copyFileSync(path, copied, constants.COPYFILE_FICLONE);
      const file = openSync(copied, "r+");
      fsyncSync(file);
      closeSync(file);
      return copied;
    },
  };
}

async function build(size: number, path: string): Promise<void> {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
  const registry = await openRegistry(path, { actor: "bench" });
  await registry.models.createMany(models(0, size));
  await registry.close();
}

// Another schema, or other models: another registry.
async function fingerprint(folder: string): Promise<string> {
  const path = join(folder, "schema.db");
  await (await openRegistry(path)).close();
  const connection = new Database(path, { readonly: true });
  const schema = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY rowid").pluck().all();
  const version = connection.pragma("user_version", { simple: true });
  connection.close();
  return createHash("sha256")
    .update(JSON.stringify([DATASET_VERSION, version, schema]))
    .digest("hex")
    .slice(0, 12);
}
