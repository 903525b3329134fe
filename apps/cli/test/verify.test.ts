import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

import { openRegistry } from "@cortex/model-db";
import { expect, test } from "vitest";

import { Sandbox, type List } from "./cortex.ts";

/** Writes a file and registers a model that consists of it. */
async function register(
  sandbox: Sandbox,
  modelId: string,
  content: string,
  withDigest = true,
): Promise<string> {
  const path = sandbox.path(`${modelId}.bin`);
  writeFileSync(path, content);
  const sha256 = withDigest ? createHash("sha256").update(content).digest("hex") : null;
  await using registry = await openRegistry(sandbox.db);
  await registry.models.create({
    modelId,
    sourceType: "local",
    alias: null,
    files: [{ path, role: "weights", sizeBytes: content.length, sha256 }],
  });
  return path;
}

test("whole files end with 0, and a file without a digest is said to be compared by size alone", async () => {
  using sandbox = new Sandbox();
  await register(sandbox, "a", "one");
  await register(sandbox, "b", "two", false);
  expect(await sandbox.run(["verify"])).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "2 files, 6 B: 1 whole, 1 by size and header alone: no SHA-256 is recorded, see --record\n",
  });
  const { stderr } = await sandbox.run(["verify", "b", "--record"]);
  expect(stderr).toBe("1 file, 3 B: 1 recorded with its SHA-256\n");
  expect((await sandbox.run(["verify"])).stderr).toBe("2 files, 6 B: 2 whole\n");
});

test("damaged and missing files are named, with what to do, and end with 1", async () => {
  using sandbox = new Sandbox();
  writeFileSync(await register(sandbox, "a", "good"), "evil");
  rmSync(await register(sandbox, "b", "gone"));
  await register(sandbox, "c", "fine");
  const { exitCode, stdout, stderr } = await sandbox.run(["verify"]);
  expect(exitCode).toBe(1);
  expect(stdout.split("\n").toSorted()).toEqual([
    "",
    expect.stringMatching(/^damaged \S+a\.bin of a has the SHA-256 [0-9a-f]{64} and not [0-9a-f]{64}\.$/),
    expect.stringMatching(/^missing \S+b\.bin of b is gone\.$/),
  ]);
  expect(stderr).toMatch(/^3 files, 8 B: 1 whole, 1 damaged, 1 missing\n {2}damaged: .+\n {2}missing: .+\n$/);
  expect((await sandbox.run(["verify", "-q"])).stdout.split("\n").toSorted()).toEqual(["", "a", "b"]);
  expect(
    (await sandbox.json<List>("list")).data.map((model) => [model["model_id"], model["availability"]]),
  ).toEqual([
    ["c", "present"],
    ["b", "missing"],
    ["a", "partial"],
  ]);
});

test("as JSON every file is there, with what was recorded and what was found", async () => {
  using sandbox = new Sandbox();
  const path = await register(sandbox, "a", "good");
  writeFileSync(path, "evil");
  const { exitCode, stdout } = await sandbox.run(["verify", "a", "--json"]);
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toEqual({
    data: [
      {
        model_id: "a",
        availability: "partial",
        files: [
          {
            path,
            role: "weights",
            state: "damaged",
            reason: expect.stringContaining("has the SHA-256"),
            size_bytes: 4,
            found_size_bytes: 4,
            sha256: createHash("sha256").update("good").digest("hex"),
            found_sha256: createHash("sha256").update("evil").digest("hex"),
            source: null,
          },
        ],
      },
    ],
    next_cursor: null,
  });
});

test("a damaged file is repaired from another copy, and one that is not ours is not touched", async () => {
  using sandbox = new Sandbox();
  const copy = await register(sandbox, "copy", "good");
  const path = sandbox.path("models/x.bin");
  mkdirSync(sandbox.path("models"));
  writeFileSync(path, "evil");
  const theirs = await register(sandbox, "theirs", "mine");
  writeFileSync(theirs, "evil");
  const sha256 = createHash("sha256").update("good").digest("hex");
  {
    await using registry = await openRegistry(sandbox.db);
    const file = {
      path,
      role: "weights",
      sizeBytes: 4,
      sha256,
      source: "https://example.org/x.bin",
    } as const;
    await registry.models.create({ modelId: "ours", sourceType: "huggingface", alias: null, files: [file] });
  }
  // Only where it can help is --repair offered.
  expect((await sandbox.run(["verify", "ours"])).stderr).toMatch(
    /^ {2}damaged: .+--repair fetches it again/m,
  );
  const hint = (await sandbox.run(["verify", "theirs"])).stderr;
  expect(hint).toMatch(/^ {2}damaged: .+put a good copy there/m);
  expect(hint).not.toContain("--repair");
  const { exitCode, stdout, stderr } = await sandbox.run(["verify", "--repair", "ours", "theirs"]);
  expect(exitCode).toBe(1);
  expect(stdout).toContain(`  repaired linked from ${copy}\n`);
  expect(stdout).toContain(
    `  not repaired: ${theirs} was not written by cortex, so that it is not touched.\n`,
  );
  expect(stderr).toMatch(/^2 files, 8 B: 1 repaired, 1 damaged\n/);
  expect(readFileSync(path, "utf8")).toBe("good");
  expect(readFileSync(theirs, "utf8")).toBe("evil");
  expect(await sandbox.run(["verify", "ours"])).toMatchObject({ exitCode: 0 });
});

test("a name that means nothing is not found", async () => {
  using sandbox = new Sandbox();
  await register(sandbox, "a", "good");
  expect(await sandbox.run(["verify", "b"])).toMatchObject({ exitCode: 3 });
});
