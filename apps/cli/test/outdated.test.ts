import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { startTestHub, type TestHub } from "@cortex/test-hub";
import { expect, test } from "vitest";

import { finished, Sandbox, type List } from "./cortex.ts";

const FILE = "m.Q4_K_M.gguf";
const MODEL_ID = `org:repo:${FILE}`;

function at(hub: TestHub): NodeJS.ProcessEnv {
  return { HF_ENDPOINT: hub.endpoint };
}

test("what is newer at the source is listed, fetched in its place, and the old is there until it is pruned", async () => {
  await using hub = await startTestHub();
  using sandbox = new Sandbox();
  const first = hub.commit("org/repo", { [FILE]: "old weights" });
  await sandbox.run(["pull", "org/repo", "-q"], "", at(hub));
  expect(await sandbox.run(["outdated"], "", at(hub))).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: "Everything is up to date.\n",
  });
  const second = hub.commit("org/repo", { [FILE]: "new weights!" });
  const listed = await sandbox.run(["outdated"], "", at(hub));
  expect(listed.stdout.replaceAll(/ +/g, " ")).toBe(
    `MODEL BRANCH HERE THERE TO FETCH\n${MODEL_ID} main ${first.slice(0, 7)} ${second.slice(0, 7)} 12 B\n`,
  );
  const json = JSON.parse((await sandbox.run(["outdated", MODEL_ID, "--json"], "", at(hub))).stdout) as List;
  expect(json.data).toEqual([
    {
      model_id: MODEL_ID,
      state: "outdated",
      repository: "org/repo",
      branch: "main",
      commit_id: first,
      new_commit_id: second,
      changed_files: [FILE],
      changed_bytes: 12,
    },
  ]);
  const path = sandbox.path(`models/huggingface.co/org/repo/${FILE}`);
  const dry = await sandbox.run(["update", "--files", "--dry-run"], "", at(hub));
  expect(dry).toEqual({ exitCode: 0, stdout: "", stderr: `${MODEL_ID}: 12 B would be fetched\n` });
  expect(readFileSync(path, "utf8")).toBe("old weights");
  const done = await sandbox.run(["update", "--files"], "", at(hub));
  const keptId = `org:repo@${first}:${FILE}`;
  expect(done).toEqual({
    exitCode: 0,
    stdout: "",
    stderr: `${MODEL_ID}: 12 B are fetched\n${MODEL_ID} is up to date; ${keptId} is what it was, until it is pruned\n`,
  });
  expect(readFileSync(path, "utf8")).toBe("new weights!");
  const pruned = await sandbox.run(["prune", "-yq"], "", at(hub));
  expect(pruned).toMatchObject({ exitCode: 0, stdout: `${keptId}\n` });
});

test("fields and files are not updated at once, and fields of one model only", async () => {
  using sandbox = new Sandbox();
  for (const words of [
    ["a", "--files", "--notes", "x"],
    ["a", "b", "--notes", "x"],
    ["--notes", "x"],
  ]) {
    expect(await sandbox.run(["update", ...words])).toMatchObject({ exitCode: 2 });
  }
});

test("a search of the hub names what can be pulled", async () => {
  await using hub = await startTestHub();
  using sandbox = new Sandbox();
  hub.commit("org/tiny-llama", { [FILE]: "weights" });
  hub.commit("org/other", { [FILE]: "weights" });
  const found = await sandbox.run(["search", "--remote", "tiny", "-q"], "", at(hub));
  expect(found).toMatchObject({ exitCode: 0, stdout: "org/tiny-llama\n" });
  const { stdout } = await sandbox.run(["search", "--remote", "tiny", "--json"], "", at(hub));
  expect(JSON.parse(stdout)).toMatchObject({ data: [{ repository: "org/tiny-llama", gated: false }] });
  expect((await sandbox.run(["search", "--remote", "nowhere"], "", at(hub))).stderr).toContain(
    "Nothing matches",
  );
});

test("whoever waits for a hub that says nothing learns what is waited for", async () => {
  const silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  using sandbox = new Sandbox();
  const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const verbs = [
    ["search", "--remote", "tiny"],
    ["pull", "org/repo"],
  ];
  await Promise.all(
    verbs.map(async (words) => {
      const child = sandbox.start(words, { HF_ENDPOINT: `http://${host}` });
      const ended = finished(child);
      await once(child.stderr, "data");
      child.kill("SIGINT");
      const { exitCode, stderr } = await ended;
      expect(stderr).toMatch(new RegExp(`^Still waiting for ${host}; Ctrl-C ends that\\.`));
      expect(exitCode).toBe(130);
    }),
  );
  silent.close();
  silent.closeAllConnections();
});
