import { createHash } from "node:crypto";
import { existsSync, linkSync, mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { openRegistry } from "@cortex/model-db";
import { expect, test } from "vitest";

import { Sandbox, type List } from "./cortex.ts";

const KB = 4096;

/** Writes a file below the models folder and registers a model of it, as a pull does. */
async function fetched(sandbox: Sandbox, modelId: string, daysAgo: number, pinned = false): Promise<string> {
  const path = sandbox.path(`models/huggingface.co/org/${modelId}/x.gguf`);
  mkdirSync(dirname(path), { recursive: true });
  const content = modelId.padEnd(KB);
  writeFileSync(path, content);
  const lastUsedAt = Date.now() - daysAgo * 86_400_000;
  utimesSync(path, 0, lastUsedAt / 1000);
  const sha256 = createHash("sha256").update(content).digest("hex");
  const source = `https://huggingface.co/org/${modelId}`;
  const file = { path, role: "weights", sizeBytes: KB, sha256, source } as const;
  await using registry = await openRegistry(sandbox.db);
  const createdAt = 0;
  const model = { modelId, sourceType: "huggingface", authorRepo: "org", alias: null } as const;
  await registry.models.create({ ...model, createdAt, lastUsedAt, pinned, files: [file] });
  return path;
}

test("df counts what is shared once, and says what is free", async () => {
  using sandbox = new Sandbox();
  const path = await fetched(sandbox, "a", 1);
  linkSync(path, sandbox.path("b.gguf"));
  await using registry = await openRegistry(sandbox.db);
  const file = { path: sandbox.path("b.gguf"), role: "weights" } as const;
  await registry.models.create({ modelId: "b", sourceType: "local", alias: null, files: [file] });
  const { exitCode, stdout, stderr } = await sandbox.run(["df"]);
  expect(exitCode).toBe(0);
  expect(stdout.replaceAll(/ +/g, " ").replaceAll(sandbox.folder, ".")).toMatchInlineSnapshot(`
    "STORE MODELS FILES SIZE SHARED
    cortex ./models 1 1 4.1 kB 4.1 kB
    elsewhere 1 1 4.1 kB 4.1 kB

    SOURCE MODELS FILES SIZE SHARED
    huggingface 1 1 4.1 kB 4.1 kB
    local 1 1 4.1 kB 4.1 kB

    AUTHOR MODELS FILES SIZE SHARED
    org 1 1 4.1 kB 4.1 kB
    unknown 1 1 4.1 kB 4.1 kB

    "
  `);
  expect(stderr).toMatch(
    /^4.1 kB in all, each content once\n4.1 kB more if nothing were shared\n\S+ \S+ free in \S+models\n$/,
  );
  expect(await sandbox.output("df", "-q")).toBe("4096\n");
  expect(await sandbox.json("df")).toMatchObject({
    used_bytes: KB,
    saved_bytes: KB,
    by_source: [{ models: 1, files: 1, used_bytes: KB, shared_bytes: KB }, { used_bytes: KB }],
  });
});

test("prune shows what goes and how much it frees, and deletes it only with a yes", async () => {
  using sandbox = new Sandbox();
  const path = await fetched(sandbox, "old", 100);
  await fetched(sandbox, "pinned", 100, true);
  const flags = ["prune", "--to", "0"];
  const shown = `  old (4.1 kB, over the budget, last used 3 months ago)
Frees 4.1 kB; 4.1 kB of fetched models stay.
pinned stays: it is pinned.
That is more than 0 B: nothing else may go.
`;
  const dry = await sandbox.run([...flags, "--dry-run"]);
  expect(dry).toMatchObject({ exitCode: 1, stdout: "" });
  expect(dry.stderr).toMatch(
    /^Would be deleted; the models stay in the registry and can be fetched again:\n/,
  );
  expect(dry.stderr).toContain(shown);
  expect(await sandbox.run(flags)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("add -y") });
  expect(existsSync(path)).toBe(true);
  const done = await sandbox.run([...flags, "-y"]);
  expect(done).toMatchObject({ exitCode: 1, stdout: "" });
  expect(done.stderr).toMatch(/Freed 4.1 kB.\n$/);
  expect(existsSync(path)).toBe(false);
  const { data } = await sandbox.json<List>("list", "--availability", "downloadable");
  expect(data).toMatchObject([{ model_id: "old" }]);
});

test("prune without anything to do changes nothing and needs no yes", async () => {
  using sandbox = new Sandbox();
  await fetched(sandbox, "a", 0);
  expect(await sandbox.run(["prune"])).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "Nothing is to be deleted; fetched models take 4.1 kB.\n",
  });
  expect(await sandbox.run(["prune", "--unused-since", "90d"])).toMatchObject({ exitCode: 0 });
});

test("prune as JSON names each file", async () => {
  using sandbox = new Sandbox();
  const path = await fetched(sandbox, "a", 0);
  const { exitCode, stdout } = await sandbox.run(["prune", "--to", "0", "--dry-run", "--json"]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    dry_run: true,
    freed_bytes: KB,
    left_bytes: 0,
    partials: [],
    leftovers: [],
    models: [
      {
        model_id: "a",
        reason: "over_budget",
        used_at: expect.any(Number),
        files: [{ path, freed_bytes: KB }],
      },
    ],
    kept: [],
    kept_files: [],
  });
});

test("rm --files deletes what cortex has written, leaves the rest, and says so first", async () => {
  using sandbox = new Sandbox();
  const path = await fetched(sandbox, "a", 0);
  const theirs = sandbox.path("theirs.gguf");
  writeFileSync(theirs, "theirs");
  {
    await using registry = await openRegistry(sandbox.db);
    await registry.files.put("a", { path: theirs, role: "mmproj" });
  }
  const dry = await sandbox.run(["rm", "a", "--files", "--dry-run"]);
  expect(dry).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: `Would go from the registry:
  a
Would be deleted:
  ${path} (4.1 kB)
${theirs} stays: it was not written by cortex.
Frees 4.1 kB.
`,
  });
  expect(await sandbox.run(["rm", "a", "--files"])).toMatchObject({ exitCode: 2 });
  expect(existsSync(path)).toBe(true);
  const done = await sandbox.run(["rm", "a", "--files", "-y", "-q"]);
  expect(done).toMatchObject({ exitCode: 0, stdout: "a\n" });
  expect(done.stderr).toMatch(/Freed 4.1 kB.\n$/);
  expect([existsSync(path), existsSync(theirs)]).toEqual([false, true]);
  expect((await sandbox.json<List>("list")).data).toEqual([]);
});
