import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { Sandbox } from "./cortex.ts";

/** A registry of two models, backed up, with a byte of the notes of one altered since. */
async function makeDamaged(sandbox: Sandbox): Promise<Buffer> {
  await sandbox.output("add", "sound", "--no-alias");
  await sandbox.output("add", "hurt", "--no-alias", "--notes", "these were the notes");
  await sandbox.output("backup", "backups");
  const bytes = readFileSync(sandbox.db);
  bytes[bytes.lastIndexOf("these were the notes")] = 0x54;
  writeFileSync(sandbox.db, bytes);
  return bytes;
}

test("a repair shows what comes back, and needs a yes", async () => {
  using sandbox = new Sandbox();
  const damaged = await makeDamaged(sandbox);
  const refused = await sandbox.run(["repair"]);
  expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
  expect(refused.stderr).toMatch(/needs a yes/);
  const rehearsed = await sandbox.run(["repair", "--dry-run"]);
  expect(rehearsed.exitCode).toBe(6);
  expect(rehearsed.stderr).toMatch(/What would come back:\n {2}2 models as last seen\n/);
  expect(readFileSync(sandbox.db).equals(damaged)).toBe(true);
  const { exitCode, stderr } = await sandbox.run(["repair", "-y"]);
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/What came back:\n {2}2 models as last seen\n/);
  const [, folder] = /The damaged files are in (\S+)\. Remove/.exec(stderr) ?? [];
  expect(readFileSync(`${folder}/registry.db`).equals(damaged)).toBe(true);
  expect(await sandbox.json("show", "hurt")).toMatchObject({ notes: "these were the notes" });
  expect((await sandbox.run(["check", "--full"])).exitCode).toBe(0);
  expect((await sandbox.run(["repair"])).stderr).toMatch(/needs a yes/);
  expect(await sandbox.run(["repair", "-y"])).toMatchObject({ exitCode: 0, stdout: "" });
  expect(await sandbox.json("repair", "-y")).toEqual({ damaged: false });
  expect(readdirSync(sandbox.folder).filter((name) => name.includes(".damaged-")).length).toBe(1);
});

test("a dry run changes nothing, whoever says yes to it", async () => {
  using sandbox = new Sandbox();
  const damaged = await makeDamaged(sandbox);
  expect((await sandbox.run(["repair", "--dry-run", "-y"])).exitCode).toBe(6);
  expect(readFileSync(sandbox.db).equals(damaged)).toBe(true);
  writeFileSync(sandbox.db, "something else");
  expect((await sandbox.run(["restore", "backups", "--dry-run", "-y"])).exitCode).toBe(0);
  expect(readFileSync(sandbox.db, "utf8")).toBe("something else");
});

test("a repair tells model by model where it came from, as JSON, too", async () => {
  using sandbox = new Sandbox();
  await makeDamaged(sandbox);
  writeFileSync(sandbox.db, "");
  // The note beside it says where its backup is.
  expect((await sandbox.run(["repair", "--dry-run"])).stderr).toContain(sandbox.path("backups"));
  rmSync(`${sandbox.db}.backup.json`);
  const refused = await sandbox.run(["repair", "-y"]);
  expect(refused.exitCode).toBe(6);
  expect(refused.stderr).toMatch(/is empty.*name its folder with --from/);
  const report = await sandbox.json("repair", "-y", "--from", "backups");
  expect(report).toMatchObject({
    damaged: true,
    registry_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    set_aside: expect.stringContaining("registry.db.damaged-"),
    from: sandbox.path("backups"),
    models: [
      { model_id: "sound", state: "recovered", origin: "snapshot", verified: true, lost_aliases: [] },
      { model_id: "hurt", state: "recovered", origin: "snapshot", verified: true, lost_aliases: [] },
    ],
    newest_event_id: 2,
    end_known: false,
    missing_events: [],
  });
  expect(await sandbox.output("history", "--kind", "repaired", "--json")).toContain("missing_events");
});

test("a restore from a backup also works where the registry is gone or no registry any more", async () => {
  using sandbox = new Sandbox();
  await makeDamaged(sandbox);
  rmSync(sandbox.db);
  const { exitCode, stderr } = await sandbox.run(["restore", "backups"]);
  expect({ exitCode, refused: /needs a yes/.test(stderr) }).toEqual({ exitCode: 2, refused: true });
  await sandbox.output("restore", "backups", "-y");
  expect((await sandbox.output("list", "-q")).split("\n").toSorted()).toEqual(["", "hurt", "sound"]);
  writeFileSync(sandbox.db, "something else");
  await sandbox.output("restore", "backups", "-y");
  expect(await sandbox.json("show", "hurt")).toMatchObject({ notes: "these were the notes" });
});
