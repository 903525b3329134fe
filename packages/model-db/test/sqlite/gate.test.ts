import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import Database from "better-sqlite3";
import { describe, expect } from "vitest";

import {
  checkRegistry,
  openRegistry,
  registryOfBackup,
  repairRegistry,
  type Registry,
} from "../../src/index.ts";
import { claimBackupFolder } from "../../src/maintenance/backup-folder.ts";
import { backupNotePath } from "../../src/maintenance/beside-registry.ts";
import { ChangeLogWriter } from "../../src/maintenance/change-log.ts";
import { writeBackupNote } from "../../src/maintenance/sidecar.ts";
import { toEventRow } from "../../src/schema/event.ts";
import { expectRefusal } from "../contract/refusal.ts";
import { contentsOf, test } from "./folder.ts";
import { summarizeLog } from "./log-summary.ts";

const MODES = ["create", "write", "read"] as const;
const LOG_HEADER_BYTES = 32;
const FRAME_BYTES = 24 + 4096;

async function change(registry: Registry, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await registry.models.update("a", { notes: `note ${index} ${Math.random()}` });
  }
}

/** Copies a registry that is open, as a killed process leaves it: `main`, `wal` and `shm` as asked for. */
function leave(from: string, to: string, ends: readonly string[] = ["", "-wal", "-shm"]): string {
  mkdirSync(to, { recursive: true });
  const path = join(to, "registry.db");
  for (const end of ends) copyFileSync(from + end, path + end);
  return path;
}

/** A registry with a few changes in its file and some more in its log only, and the copy of it. */
async function left(folder: string, ends?: readonly string[]): Promise<string> {
  const path = join(folder, "live", "registry.db");
  await using registry = await openRegistry(path);
  await registry.models.create({ modelId: "a", sourceType: "local" });
  await change(registry, 5);
  return leave(path, join(folder, "left"), ends);
}

/** A registry whose log holds event 1,000,001, and that those up to another one are missing for good. */
async function leftRepaired(folder: string, lastMissing: number): Promise<string> {
  const path = join(folder, "live", "registry.db");
  await (await openRegistry(path)).close();
  const connection = new Database(path);
  connection.pragma("journal_mode = WAL");
  const after = { missing_events: [[1, lastMissing]] };
  const told = { modelId: "", kind: "repaired", actor: "registry", at: 0, rowVersion: 0 } as const;
  const row = toEventRow({ ...told, eventId: 1_000_001, before: null, after, origin: null });
  const columns = Object.keys(row);
  connection.prepare(`INSERT INTO model_event (${columns.join()}) VALUES (@${columns.join(", @")})`).run(row);
  const copy = leave(path, join(folder, "left"));
  connection.close();
  return copy;
}

async function expectGateShut(path: string, says: RegExp): Promise<void> {
  const before = contentsOf(join(path, ".."));
  for (const mode of MODES) {
    const refusal = await expectRefusal("database_damaged", openRegistry(path, { mode }), mode);
    expect(refusal.message, mode).toMatch(says);
    expect(refusal.message).toContain("cortex repair");
  }
  const after = contentsOf(join(path, ".."));
  for (const [name, content] of Object.entries(before)) {
    if (!name.endsWith("-shm")) expect(after[name], name).toBe(content);
  }
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 0x10;
  writeFileSync(path, bytes);
}

test("a registry that was only read opens, whatever the readers left beside it", async ({ folder }) => {
  const path = join(folder, "registry.db");
  await using registry = await openRegistry(path);
  await registry.models.create({ modelId: "a", sourceType: "local" });
  await registry.close();
  for (const mode of ["read", "read", ...MODES] as const) {
    await using opened = await openRegistry(path, { mode });
    expect((await opened.models.get("a")).rowVersion).toBe(1);
    await opened.close();
    if (mode === "read") expect(existsSync(`${path}-shm`)).toBe(true);
  }
});

describe("a registry that a killed program left", () => {
  test("opens with all that was committed", async ({ folder }) => {
    const path = await left(folder);
    await using registry = await openRegistry(path, { mode: "write" });
    expect((await registry.models.get("a")).rowVersion).toBe(6);
  });

  test("opens where a power cut has torn the last commit, without it", async ({ folder }) => {
    const path = await left(folder, ["", "-wal"]);
    const { committedFrames } = summarizeLog(`${path}-wal`);
    truncateSync(`${path}-wal`, LOG_HEADER_BYTES + (committedFrames - 0.5) * FRAME_BYTES);
    await using registry = await openRegistry(path, { mode: "write" });
    expect((await registry.models.get("a")).rowVersion).toBe(5);
  });

  test("opens where the history in its log leaves out what a repair has noted, and not otherwise", async ({
    folder,
  }) => {
    await (await openRegistry(await leftRepaired(join(folder, "whole"), 1_000_000))).close();
    await expectGateShut(await leftRepaired(join(folder, "short"), 999_999), /changes are missing/);
  });

  test("is not opened without its log", async ({ folder }) => {
    const path = await left(folder, ["", "-shm"]);
    await expectGateShut(path, /log is missing or was cut off/);
    writeFileSync(`${path}-wal`, "");
    await expectGateShut(path, /log is missing or was cut off/);
  });

  test("is not opened with a part of its log", async ({ folder }) => {
    const path = await left(folder);
    truncateSync(`${path}-wal`, LOG_HEADER_BYTES + 3 * FRAME_BYTES);
    await expectGateShut(path, /log was cut off or altered/);
  });

  test("is not opened where a bit of its log has changed, whoever looks at it first", async ({ folder }) => {
    for (const ends of [
      ["", "-wal", "-shm"],
      ["", "-wal"],
    ]) {
      const path = await left(join(folder, String(ends.length)), ends);
      flip(`${path}-wal`, LOG_HEADER_BYTES + FRAME_BYTES + 2000);
      await expectGateShut(path, /log (was cut off or altered|is damaged behind)/);
    }
  });

  test("is not opened with a log that is none", async ({ folder }) => {
    const path = await left(folder, ["", "-wal"]);
    writeFileSync(`${path}-wal`, Buffer.alloc(20_000, 7));
    await expectGateShut(path, /log is (none|damaged)/);
  });

  test("is not opened where the file is empty or gone and the log is not", async ({ folder }) => {
    const path = await left(folder, ["", "-wal"]);
    truncateSync(path, 0);
    await expectGateShut(path, /empty or gone/);
    rmSync(path);
    const refusal = await expectRefusal("database_damaged", openRegistry(path));
    expect(refusal.message).toMatch(/empty or gone/);
    expect(existsSync(path)).toBe(false);
  });
});

async function findings(path: string): Promise<string[]> {
  const codes: string[] = [];
  for await (const { code } of checkRegistry(path, { full: true })) codes.push(code);
  return codes;
}

describe("what tells of damage", () => {
  test("is still there after a check and the rehearsal of a repair", async ({ folder }) => {
    const missing = await left(join(folder, "missing"), ["", "-shm"]);
    const emptied = await left(join(folder, "emptied"));
    truncateSync(emptied, 0);
    for (const path of [missing, emptied]) {
      const before = contentsOf(join(path, ".."));
      expect(await findings(path)).toEqual(["evidence"]);
      await repairRegistry(path, { dryRun: true });
      expect(contentsOf(join(path, ".."))).toEqual(before);
      await expectRefusal("database_damaged", openRegistry(path));
    }
  });

  test("an empty file that was a registry is not begun anew, one that was none is", async ({ folder }) => {
    const path = join(folder, "registry.db");
    writeFileSync(path, "");
    await (await openRegistry(path)).close();
    truncateSync(path, 0);
    await expectGateShut(path, /it is empty, and was a registry/);
  });

  test("a log whose file is gone is enough for a repair", async ({ folder }) => {
    const path = await left(folder, ["-wal"]);
    const report = await repairRegistry(path);
    expect(report?.models.map(({ modelId }) => modelId)).toEqual(["a"]);
  });
});

describe("a log beside a registry", () => {
  test("of another registry is not laid over it", async ({ folder }) => {
    const path = await left(join(folder, "one"), [""]);
    const other = join(folder, "other", "registry.db");
    await using registry = await openRegistry(other);
    await registry.models.create({ modelId: "b", sourceType: "local", notes: "another" });
    for (let index = 0; index < 30; index++)
      await registry.models.create({ modelId: `b${index}`, sourceType: "local" });
    copyFileSync(`${other}-wal`, `${path}-wal`);
    await expectGateShut(path, /damaged/);
  });

  test("that is older than the file is not laid over it", async ({ folder }) => {
    const live = join(folder, "live", "registry.db");
    let path: string;
    {
      await using registry = await openRegistry(live);
      await registry.models.create({ modelId: "a", sourceType: "local" });
      await change(registry, 5);
      path = leave(live, join(folder, "left"), ["-wal"]);
    }
    {
      await using registry = await openRegistry(live);
      await change(registry, 20);
    }
    copyFileSync(live, path);
    await expectGateShut(path, /damaged/);
  });

  test("that is newer than the file is not laid over it", async ({ folder }) => {
    const live = join(folder, "live", "registry.db");
    {
      await using registry = await openRegistry(live);
      await registry.models.create({ modelId: "a", sourceType: "local" });
      await change(registry, 5);
    }
    const path = leave(live, join(folder, "left"), [""]);
    {
      await using registry = await openRegistry(live);
      await change(registry, 500);
    }
    await using registry = await openRegistry(live);
    await change(registry, 2);
    copyFileSync(`${live}-wal`, `${path}-wal`);
    await expectGateShut(path, /newer file/);
  });

  test("of a program that goes on writing is no damage", async ({ folder }) => {
    const path = join(folder, "registry.db");
    await using registry = await openRegistry(path);
    await registry.models.create({ modelId: "a", sourceType: "local" });
    for (let round = 0; round < 20; round++) {
      const writing = change(registry, 40);
      const copy = await openRegistry(path, { mode: "read" });
      await copy.close();
      await writing;
    }
    expect((await registry.models.get("a")).rowVersion).toBe(801);
  });
});

async function backedUp(folder: string): Promise<{ path: string; backup: string; old: Buffer }> {
  const path = join(folder, "registry.db");
  const backup = join(folder, "backup");
  {
    await using registry = await openRegistry(path);
    await registry.models.create({ modelId: "a", sourceType: "local" });
  }
  const old = readFileSync(path);
  await using registry = await openRegistry(path);
  await change(registry, 3);
  claimBackupFolder(backup, registry.registryId);
  using log = new ChangeLogWriter(backup, registry.registryId, { after: 0 });
  log.append((await registry.history.list({ order: "asc" })).items);
  writeBackupNote(path, { registryId: registry.registryId, folder: backup });
  return { path, backup, old };
}

describe("a registry with a backup that follows it", () => {
  test("opens when it is at least as new as that", async ({ folder }) => {
    const { path } = await backedUp(folder);
    for (const mode of MODES) {
      await using registry = await openRegistry(path, { mode });
      expect((await registry.models.get("a")).rowVersion).toBeGreaterThanOrEqual(4);
    }
  });

  test("is not opened when it is older, empty or gone, until the note is taken away", async ({ folder }) => {
    const { path, backup, old } = await backedUp(folder);
    for (const content of [old, Buffer.alloc(0)]) {
      writeFileSync(path, content);
      const refusal = await expectRefusal("database_damaged", openRegistry(path));
      expect(refusal.message).toContain(`cortex repair --from ${backup}`);
      expect(readFileSync(path).equals(content)).toBe(true);
    }
    rmSync(path);
    for (const mode of MODES) await expectRefusal("database_damaged", openRegistry(path, { mode }), mode);
    expect(existsSync(path)).toBe(false);
    rmSync(backupNotePath(path));
    await using registry = await openRegistry(path);
    expect(await registry.models.count()).toBe(0);
  });

  test("is not opened when another registry is in its place", async ({ folder }) => {
    const { path } = await backedUp(folder);
    const other = join(folder, "other.db");
    await (await openRegistry(other)).close();
    copyFileSync(other, path);
    const refusal = await expectRefusal("database_damaged", openRegistry(path));
    expect(refusal.message).toContain(backupNotePath(path));
  });

  test("goes down below the schema that gave it its id, and up again with the same", async ({ folder }) => {
    const { path } = await backedUp(folder);
    {
      await using registry = await openRegistry(path);
      await registry.migrate(4);
    }
    await using registry = await openRegistry(path);
    expect((await registry.models.get("a")).rowVersion).toBe(4);
    expect(registry.registryId).toBe(registryOfBackup(join(folder, "backup")));
  });

  test("opens when the backup's disk is not there", async ({ folder }) => {
    const { path, backup } = await backedUp(folder);
    rmSync(backup, { recursive: true });
    await using registry = await openRegistry(path);
    expect((await registry.models.get("a")).rowVersion).toBe(4);
  });
});
