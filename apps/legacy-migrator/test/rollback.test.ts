import { chmodSync, chownSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

import { followBackup, lastLoggedEventId, openRegistry } from "@cortex/model-db";
import { fingerprintOf } from "@cortex/model-db/durable-files";
import { beforeEach, expect, test } from "vitest";

import { backupsFolder, backupsOf, createBackup } from "../src/backup.ts";
import { migrate } from "../src/migrate.ts";
import { findRollback, rollBack } from "../src/rollback.ts";
import { writeFile, writeModelList } from "./old-data.ts";
import { registryModels } from "./registry-models.ts";
import { temporaryFolder } from "./temporary-folder.ts";

let data: string;
let to: string;
beforeEach(async () => {
  data = join(temporaryFolder(), "cortexcpp");
  to = join(temporaryFolder(), "registry.db");
  writeModelList(data, "a x main /1.yml one READY\nb x main /2.yml two READY\n");
  await using registry = await openRegistry(to);
  await registry.models.create({ modelId: "mine", sourceType: "local", notes: "precious" });
  await registry.models.create({ modelId: "a", sourceType: "local", alias: null });
});

test("a backup holds the registry and the old stores, each with its size and SHA-256", async () => {
  const before = await registryModels(to);
  const { backup } = await migrate({ from: data, to, env: {} });
  const { path, manifest } = [...backupsOf(to)][0]!;
  expect(path).toBe(backup);
  expect(manifest.registry).toMatchObject({ path: to, ...fingerprintOf(join(path, "registry.db")) });
  expect(manifest.sources).toMatchObject([
    { path: join(data, "models/model.list"), ...fingerprintOf(join(data, "models/model.list")) },
  ]);
  expect(await registryModels(join(path, "registry.db"))).toEqual(before);
});

test("a rollback makes the registry what it was, also for who has it open", async () => {
  const before = await registryModels(to);
  await using open = await openRegistry(to);
  await migrate({ from: data, to, env: {} });
  expect(Object.keys(await registryModels(to)).toSorted()).toEqual(["a", "b", "mine"]);
  const done = await rollBack((await findRollback(to))!);
  expect(done).toMatchObject({ registry: "restored", sourcesRestored: [], sourcesChanged: [] });
  expect(await registryModels(to)).toEqual(before);
  expect(await open.models.find("b")).toBeUndefined();
  await open.models.create({ modelId: "later", sourceType: "local" });
  expect(Object.keys(await registryModels(done.before!)).toSorted()).toEqual(["a", "b", "mine"]);
});

test("rollbacks go back one migration each, and a run that changed nothing is none", async () => {
  await migrate({ from: data, to, env: {} });
  writeModelList(data, "c x main /3.yml three READY\n");
  await migrate({ from: data, to, env: {} });
  expect(await migrate({ from: data, to, env: {} })).toMatchObject({ changed: false, backup: null });
  expect(readdirSync(backupsFolder(to))).toHaveLength(2);
  await rollBack((await findRollback(to))!);
  expect(Object.keys(await registryModels(to)).toSorted()).toEqual(["a", "b", "mine"]);
  await rollBack((await findRollback(to))!);
  expect(Object.keys(await registryModels(to)).toSorted()).toEqual(["a", "mine"]);
  expect(await findRollback(to)).toBeUndefined();
});

test("an old store that is gone comes back; one that was changed since is left, and its copy named", async () => {
  const list = join(data, "models/model.list");
  await migrate({ from: data, to, env: {} });
  writeFile(list, "changed x main /1.yml one READY\n");
  const changed = await rollBack((await findRollback(to))!);
  expect(changed.sourcesChanged).toMatchObject([
    { path: list, copy: expect.stringContaining("1-model.list") },
  ]);
  await migrate({ from: data, to, env: {} });
  rmSync(list);
  expect((await rollBack((await findRollback(to))!)).sourcesRestored).toEqual([list]);
  expect(existsSync(list)).toBe(true);
});

test("what is put back has the rights that it had, for whom it was shared with", async () => {
  const list = join(data, "models/model.list");
  chmodSync(to, 0o664);
  chmodSync(list, 0o640);
  // Only root may give files away.
  if (process.getuid?.() === 0) for (const path of [to, list]) chownSync(path, 1234, 5678);
  const before = [to, list].map(rightsOf);
  for (const lose of [() => rmSync(to), () => writeFile(to, "overwritten by a report\n".repeat(1000))]) {
    await migrate({ from: data, to, env: {} });
    lose();
    rmSync(list);
    await rollBack((await findRollback(to))!);
    expect([to, list].map(rightsOf)).toEqual(before);
  }
});

test("an empty file that becomes empty again has the rights that it had", async () => {
  const empty = join(temporaryFolder(), "empty.db");
  writeFile(empty, "");
  chmodSync(empty, 0o660);
  await migrate({ from: data, to: empty, env: {} });
  await rollBack((await findRollback(empty))!);
  const { size, mode } = statSync(empty);
  expect({ size, mode: mode & 0o777 }).toEqual({ size: 0, mode: 0o660 });
});

test("a registry that did not exist is not removed while somebody has it open", async () => {
  const other = join(temporaryFolder(), "new.db");
  await migrate({ from: data, to: other, env: {} });
  {
    await using open = await openRegistry(other);
    await open.models.count();
    const backup = (await findRollback(other))!;
    const kept = readdirSync(backup.path);
    await expect(rollBack(backup)).rejects.toThrow(/Stop the programs that use it/);
    expect(existsSync(other)).toBe(true);
    expect(readdirSync(backup.path)).toEqual(kept);
    await open.models.create({ modelId: "between", sourceType: "local" });
  }
  const done = await rollBack((await findRollback(other))!);
  expect(done).toMatchObject({ registry: "removed" });
  expect(existsSync(other)).toBe(false);
  expect(Object.keys(await registryModels(done.before!)).toSorted()).toEqual(["a", "b", "between"]);
});

test("what a rollback kept that was killed is neither taken for what the registry is now nor lost", async () => {
  await migrate({ from: data, to, env: {} });
  const backup = (await findRollback(to))!;
  writeFile(join(backup.path, "registry-before-rollback.db"), "of the first try");
  await using registry = await openRegistry(to);
  await registry.models.create({ modelId: "between", sourceType: "local" });
  const done = await rollBack(backup);
  expect(Object.keys(await registryModels(done.before!))).toContain("between");
  expect(readFileSync(join(done.backup, "registry-before-rollback.db"), "utf8")).toBe("of the first try");
});

test("a rollback that was killed after it removed the registry is finished by the next, which names what is kept", async () => {
  const other = join(temporaryFolder(), "new.db");
  await migrate({ from: data, to: other, env: {} });
  const backup = (await findRollback(other))!;
  writeFile(join(backup.path, "registry-before-rollback.db"), "one");
  writeFile(join(backup.path, "registry-before-rollback-2.db"), "two");
  for (const end of ["", "-wal", "-shm"]) rmSync(other + end, { force: true });
  const done = await rollBack(backup);
  expect(readFileSync(done.before!, "utf8")).toBe("two");
});

test("a backup that cannot be completed leaves nothing that looks like one", () => {
  expect(() => createBackup(to, [join(data, "gone")])).toThrow(/ENOENT/);
  expect(readdirSync(backupsFolder(to))).toEqual([]);
});

test("two backups in one millisecond have two names", () => {
  const [one, other] = [createBackup(to, [], 1000), createBackup(to, [], 1000)];
  expect(one.path).not.toBe(other.path);
  expect([...backupsOf(to)][0]?.path).toBe(other.path);
});

test("a registry that is no database any more is moved beside the backup, and the backup put back", async () => {
  const before = await registryModels(to);
  await migrate({ from: data, to, env: {} });
  writeFile(to, "overwritten by a report\n".repeat(1000));
  writeFile(`${to}-wal`, "left");
  const done = await rollBack((await findRollback(to))!);
  expect(done).toMatchObject({ registry: "restored", beforeIsBroken: true });
  expect(readFileSync(done.before!, "utf8")).toContain("overwritten");
  expect(readFileSync(`${done.before!}-wal`, "utf8")).toBe("left");
  expect(await registryModels(to)).toEqual(before);
  await using registry = await openRegistry(to);
  await registry.models.create({ modelId: "later", sourceType: "local" });
});

test("a damaged registry goes away where there was none before", async () => {
  const other = join(temporaryFolder(), "new.db");
  await migrate({ from: data, to: other, env: {} });
  const bytes = readFileSync(other);
  writeFile(other, bytes.fill(0x55, 4096));
  const done = await rollBack((await findRollback(other))!);
  expect(done).toMatchObject({ registry: "removed", beforeIsBroken: true });
  expect([existsSync(other), existsSync(done.before!)]).toEqual([false, true]);
});

function rightsOf(path: string): { mode: number; uid: number; gid: number } {
  const { mode, uid, gid } = statSync(path);
  return { mode, uid, gid };
}

/** Does something while the registry is followed into a backup, which then has all of it. */
async function whileFollowed(work: () => Promise<unknown>): Promise<void> {
  const folder = join(temporaryFolder(), "backup");
  const controller = new AbortController();
  const { promise: following, resolve: onFollowing } = Promise.withResolvers<void>();
  const followed = followBackup(to, folder, { signal: controller.signal, onFollowing });
  await following;
  await work();
  await using registry = await openRegistry(to, { mode: "read" });
  await expect.poll(() => lastLoggedEventId(folder)).toBe(await registry.history.latestEventId());
  controller.abort();
  await followed;
}

test("a registry whose continuous backup holds the migration is not put back: it would count as damaged", async () => {
  await whileFollowed(() => migrate({ from: data, to, env: {} }));
  const backup = (await findRollback(to))!;
  const after = await registryModels(to);
  await expect(rollBack(backup)).rejects.toThrow(
    `\`cortex restore --at ${new Date(backup.manifest.created_at).toISOString()} --db ${to}\` takes the migration back`,
  );
  expect(await registryModels(to)).toEqual(after);
  expect((await findRollback(to))!.path).toBe(backup.path);
});

test("a registry whose continuous backup ended before the migration is put back", async () => {
  const before = await registryModels(to);
  await whileFollowed(async () => {});
  await migrate({ from: data, to, env: {} });
  await rollBack((await findRollback(to))!);
  expect(await registryModels(to)).toEqual(before);
});

test("an empty file that was made into a registry is an empty file again, which can become one", async () => {
  const empty = join(temporaryFolder(), "registry.db");
  writeFile(empty, "");
  await migrate({ from: data, to: empty, env: {} });
  await rollBack((await findRollback(empty))!);
  expect(readFileSync(empty, "utf8")).toBe("");
  await migrate({ from: data, to: empty, env: {} });
  expect(Object.keys(await registryModels(empty)).toSorted()).toEqual(["a", "b"]);
});

test("where there was no registry, a rollback leaves nothing but the backups", async () => {
  const folder = temporaryFolder();
  const fresh = join(folder, "registry.db");
  await migrate({ from: data, to: fresh, env: {} });
  await rollBack((await findRollback(fresh))!);
  expect(readdirSync(folder)).toEqual(["registry.db.backups"]);
});

test("a rollback that was interrupted after the broken file was moved is finished by the next", async () => {
  const before = await registryModels(to);
  await migrate({ from: data, to, env: {} });
  const backup = (await findRollback(to))!;
  writeFile(join(backup.path, "registry-broken.db"), "broken");
  for (const end of ["", "-wal", "-shm"]) rmSync(to + end, { force: true });
  writeFile(`${to}.restoring`, "half");
  const done = await rollBack(backup);
  expect(readFileSync(done.before!, "utf8")).toBe("broken");
  expect(await registryModels(to)).toEqual(before);
  expect(existsSync(`${to}.restoring`)).toBe(false);
});

test("a migration that was killed is nothing to undo, unless it had written", async () => {
  createBackup(to, []);
  expect(await findRollback(to)).toBeUndefined();
  expect(await findRollback(join(temporaryFolder(), "none.db"))).toBeUndefined();
  const { backup } = await migrate({ from: data, to, env: {} });
  createBackup(to, [], Date.now() + 10);
  expect((await findRollback(to))?.path).toBe(backup);
  // Killed between its commit and the end.
  writeFile(join(backup!, "unfinished"), "");
  expect((await findRollback(to))?.path).toBe(backup);
});
