import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import Database from "better-sqlite3";
import { expect, vi } from "vitest";

import { isOpenHere } from "../../src/database/sqlite/open-files.ts";
import { createSnapshot, isIntactSnapshot, listSnapshots, openRegistry } from "../../src/index.ts";
import { localModel } from "../contract/local-model.ts";
import { expectRefusal } from "../contract/refusal.ts";
import { startProcess } from "../processes/start.ts";
import { test } from "../sqlite/folder.ts";

const names = (folder: string): string[] => readdirSync(join(folder, "snapshots")).toSorted();

test("a snapshot is a whole registry as it was, and says at which event", async ({ folder }) => {
  const location = join(folder, "registry.db");
  await using registry = await openRegistry(location);
  await registry.models.create(localModel("a", { tags: ["t"], files: [{ path: "p", role: "weights" }] }));
  const snapshot = await createSnapshot(location, join(folder, "backups"));
  await registry.models.update("a", { notes: "later" });

  expect(snapshot.eventId).toBe(1);
  expect(listSnapshots(join(folder, "backups"))).toEqual([snapshot]);
  expect(isIntactSnapshot(snapshot)).toBe(true);
  await using copy = await openRegistry(snapshot.path, { mode: "read" });
  expect(copy.registryId).toBe(registry.registryId);
  expect((await copy.models.get("a")).notes).toBe(null);
  expect(await copy.files.list("a")).toHaveLength(1);
});

test("its checksum is what sha256sum reads, and shows any change of the file", async ({ folder }) => {
  const location = join(folder, "registry.db");
  await (await openRegistry(location)).close();
  const snapshot = await createSnapshot(location, join(folder, "backups"));
  const checked = execFileSync("sha256sum", ["--check", `${snapshot.path}.sha256`], {
    cwd: dirname(snapshot.path),
    encoding: "utf8",
  });
  expect(checked).toMatch(/: OK\n$/);
  const bytes = readFileSync(snapshot.path);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(snapshot.path, bytes);
  expect(isIntactSnapshot(snapshot)).toBe(false);
  rmSync(`${snapshot.path}.sha256`);
  expect(listSnapshots(join(folder, "backups"))).toEqual([]);
});

test("a snapshot can be read as a registry, and is never written to", async ({ folder }) => {
  const location = join(folder, "registry.db");
  await using registry = await openRegistry(location);
  await registry.models.create(localModel("a"));
  const snapshot = await createSnapshot(location, join(folder, "backups"));
  {
    await using past = await openRegistry(snapshot.path, { mode: "read" });
    expect(await past.models.count()).toBe(1);
  }
  for (const mode of ["create", "write"] as const)
    await expectRefusal("read_only", openRegistry(snapshot.path, { mode }));
  expect(isIntactSnapshot(snapshot)).toBe(true);
});

test("a snapshot taken while others write holds every change up to its event, and none beyond", async ({
  folder,
}) => {
  const location = join(folder, "registry.db");
  await using registry = await openRegistry(location);
  const writer = startProcess("writer.ts", { location, name: "w", changes: 2000, pauseMs: 0 });
  await writer.next("ready");
  writer.send("go");
  while ((await registry.history.latestEventId()) < 100);
  const snapshots = [];
  for (let round = 0; round < 4; round++) {
    snapshots.push(await createSnapshot(location, join(folder, "backups"), { keep: 10 }));
  }
  await writer.next("done");
  await writer.ended;
  for (const { path, eventId } of snapshots) {
    await using copy = await openRegistry(path, { mode: "read" });
    expect(await copy.models.count()).toBe(eventId);
    expect(await copy.history.latestEventId()).toBe(eventId);
  }
});

test("while a registry is copied, nobody in the process looks at its files by hand", async ({ folder }) => {
  const location = join(folder, "registry.db");
  await (await openRegistry(location)).close();
  const taking = createSnapshot(location, join(folder, "backups"));
  await vi.waitUntil(() => isOpenHere(location), { interval: 1 });
  await taking;
  expect(isOpenHere(location)).toBe(false);
});

test("the newest are kept, as many as asked for", async ({ folder }) => {
  const location = join(folder, "registry.db");
  await using registry = await openRegistry(location);
  for (let number = 1; number <= 5; number++) {
    await registry.models.create(localModel(`m${number}`));
    await createSnapshot(location, join(folder, "backups"), { keep: number === 5 ? 2 : 3 });
    expect(listSnapshots(join(folder, "backups")).map(({ eventId }) => eventId)).toEqual(
      [5, 4, 3, 2, 1].filter((id) => id <= number && id > number - (number === 5 ? 2 : 3)),
    );
  }
  expect(names(join(folder, "backups"))).toHaveLength(4);
});

test("the snapshot that was just taken stays, also of a registry that was put back to an earlier state", async ({
  folder,
}) => {
  const [location, backups] = [join(folder, "registry.db"), join(folder, "backups")];
  await (await openRegistry(location)).close();
  copyFileSync(location, join(folder, "old.db"));
  {
    await using registry = await openRegistry(location);
    for (const modelId of ["a", "b"]) await registry.models.create(localModel(modelId));
    await createSnapshot(location, backups);
  }
  copyFileSync(join(folder, "old.db"), location);
  const { path } = await createSnapshot(location, backups, { keep: 1 });
  expect(listSnapshots(backups).map((snapshot) => snapshot.path)).toEqual([path]);
});

test("a folder takes the backups of one registry only", async ({ folder }) => {
  const [one, other] = [join(folder, "one.db"), join(folder, "other.db")];
  await (await openRegistry(one)).close();
  await (await openRegistry(other)).close();
  await createSnapshot(one, join(folder, "backups"));
  const before = names(join(folder, "backups"));
  await expectRefusal("invalid_input", createSnapshot(other, join(folder, "backups")));
  expect(names(join(folder, "backups"))).toEqual(before);
});

test("a registry whose rows are not what was written gives no snapshot", async ({ folder }) => {
  const location = join(folder, "registry.db");
  await using registry = await openRegistry(location);
  await registry.models.create(localModel("a"));
  await createSnapshot(location, join(folder, "backups"));
  const database = new Database(location);
  database.exec("UPDATE model SET notes = 'not ours'");
  database.close();
  const refusal = await expectRefusal("database_damaged", createSnapshot(location, join(folder, "backups")));
  expect(refusal.message).toContain("model a");
  expect(listSnapshots(join(folder, "backups"))).toHaveLength(1);
  expect(names(join(folder, "backups"))).toHaveLength(2);
});

test("what is no registry, or is not there, is refused and leaves nothing behind", async ({ folder }) => {
  const location = join(folder, "registry.db");
  await expectRefusal("not_found", createSnapshot(location, join(folder, "backups")));
  writeFileSync(location, "no database at all, but long enough to look at".repeat(20));
  await expectRefusal("not_a_registry", createSnapshot(location, join(folder, "backups")));
  expect(existsSync(join(folder, "backups"))).toBe(false);
});

test.skipIf(process.getuid?.() !== 0)("a full disk leaves nothing half", async ({ folder }) => {
  const location = join(folder, "registry.db");
  await using registry = await openRegistry(location);
  await registry.models.createMany(
    Array.from({ length: 2000 }, (_, index) => localModel(`m${index}`, { notes: "n".repeat(300) })),
  );
  const small = join(folder, "small");
  execFileSync("mkdir", [small]);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", small], { stdio: "ignore" });
  } catch {
    console.warn("skipped: no file system can be mounted here");
    return;
  }
  try {
    await expectRefusal("disk_full", createSnapshot(location, small));
    expect(names(small)).toEqual([]);
  } finally {
    execFileSync("umount", [small]);
  }
});

test("a snapshot whose taker is killed is none, and is cleared away later", async ({ folder }) => {
  const location = join(folder, "registry.db");
  await (await openRegistry(location)).close();
  const snapshot = await createSnapshot(location, join(folder, "backups"));
  // What a killed one leaves: a copy under a name of its own, or the checksum without its file.
  const left = join(folder, "backups", "snapshots", ".partial-1-1.db");
  copyFileSync(snapshot.path, left);
  writeFileSync(`${snapshot.path.replace("0000-", "0009-")}.sha256`, "");
  expect(listSnapshots(join(folder, "backups"))).toEqual([snapshot]);
  execFileSync("touch", ["-d", "2 hours ago", left, `${snapshot.path.replace("0000-", "0009-")}.sha256`]);
  await createSnapshot(location, join(folder, "backups"));
  expect(names(join(folder, "backups"))).toHaveLength(4);
  expect(existsSync(left)).toBe(false);
});

test("before its schema is changed, a registry that holds something is kept as it was", async ({
  folder,
}) => {
  const location = join(folder, "registry.db");
  const backups = `${location}.backups`;
  {
    await using registry = await openRegistry(location);
    await registry.migrate(3);
    await registry.migrate();
    expect(existsSync(backups), "there was nothing to keep").toBe(false);
    await registry.models.create(localModel("a"));
    await registry.migrate(4);
  }
  const [down] = listSnapshots(backups);
  await using before = await openRegistry(down!.path, { mode: "read" });
  expect((await before.models.get("a")).modelId).toBe("a");
  await (await openRegistry(location)).close();
  expect(listSnapshots(backups)).toHaveLength(2);
});

test("a schema stays as it is where no snapshot can be kept before its change", async ({ folder }) => {
  const location = join(folder, "registry.db");
  await using registry = await openRegistry(location);
  await registry.models.create(localModel("a"));
  const { version } = await registry.schema();
  writeFileSync(`${location}.backups`, "a file is in the way");
  await expectRefusal("invalid_input", registry.migrate(4));
  expect((await registry.schema()).version).toBe(version);
});
