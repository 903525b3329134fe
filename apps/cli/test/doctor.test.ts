import { rmSync, truncateSync, writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { Sandbox } from "./cortex.ts";

interface Diagnosis {
  readonly facts: Record<string, unknown>;
  readonly findings: readonly { code: string; severity: string; remedy: string }[];
}

const codes = ({ findings }: Diagnosis): string[] => findings.map(({ code }) => code);

test("doctor says what a bug report asks for, and that a backup is missing until there is one", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "tinyllama:1b-gguf");
  const before = await sandbox.json<Diagnosis & Record<string, unknown>>("doctor");
  expect(before.facts).toMatchObject({
    node: process.version,
    registry: sandbox.db,
    models: 1,
    writable: true,
    newest_event: 1,
    wal_bytes: 0,
    chosen_by: "CORTEX_DB",
  });
  expect(codes(before)).toEqual(["no_recent_backup"]);
  await sandbox.output("backup", sandbox.path("backup"));
  const after = await sandbox.json<Diagnosis & Record<string, unknown>>("doctor");
  expect(codes(after)).toEqual([]);
  expect(after.facts).toMatchObject({ backup_folder: sandbox.path("backup"), newest_snapshot_event: 1 });
  expect(await sandbox.output("doctor")).toContain("Nothing is wrong.");
});

test("doctor says what it can where the backup cannot be read", async () => {
  using sandbox = new Sandbox();
  await sandbox.output("add", "tinyllama:1b-gguf");
  await sandbox.output("backup", sandbox.path("backup"));
  writeFileSync(sandbox.path("backup/log"), "a file in its place");
  const found = await sandbox.json<Diagnosis & Record<string, unknown>>("doctor");
  expect(codes(found)).toEqual(["backup_out_of_reach"]);
  expect(found.facts).toMatchObject({ models: 1, newest_snapshot_event: 1, last_logged_event: null });
});

test.runIf(process.platform === "linux")(
  "doctor names the programs that have the registry open",
  async () => {
    using sandbox = new Sandbox();
    await sandbox.output("add", "tinyllama:1b-gguf");
    const watcher = sandbox.start(["watch", "--json"]);
    const processes = async (): Promise<unknown> =>
      (await sandbox.json<Diagnosis & Record<string, unknown>>("doctor")).facts["processes"];
    await expect
      .poll(processes, { timeout: 20_000 })
      .toEqual([{ pid: watcher.pid, name: expect.any(String) }]);
    watcher.kill();
  },
);

test("doctor says of a registry that is damaged or gone what mends it", async () => {
  using sandbox = new Sandbox();
  const none = await sandbox.json<Diagnosis & Record<string, unknown>>("doctor");
  expect(codes(none)).toEqual(["not_opened"]);
  await sandbox.output("add", "tinyllama:1b-gguf");
  await sandbox.output("backup", sandbox.path("backup"));
  truncateSync(sandbox.db, 0);
  const { exitCode, stdout } = await sandbox.run(["doctor"]);
  expect(exitCode).toBe(6);
  expect(stdout).toContain("unreadable");
  expect(stdout).toContain("cortex repair");
  rmSync(sandbox.db);
  expect((await sandbox.run(["doctor", "-q"])).stdout).toBe("unreadable\n");
});
