import { startTestHub, type TestHub } from "@cortex/test-hub";
import {
  downloadFile,
  fileDownloadInfo,
  listFiles,
  listModels,
  modelInfo,
  pathsInfo,
  type ListFileEntry,
} from "@huggingface/hub";
import { afterAll, beforeAll, expect, test } from "vitest";

// The hub of the tests is what the official client takes for the real one.
const repo = "org/tiny-GGUF";
const weights = { sizeBytes: 300_000 };
let hub: TestHub;
let commit: string;

beforeAll(async () => {
  hub = await startTestHub({ pageSize: 2 });
  commit = hub.commit(repo, {
    "README.md": "# Tiny\n",
    "tiny.Q4_K_M.gguf": weights,
    "sub/folder/config.json": "{}",
  });
  hub.commit("org/gated", { "a.gguf": "GGUF" });
  hub.restrict("org/gated", "gated");
  hub.accept("org/gated", "hf_accepted");
  hub.commit("org/private", { "a.gguf": "GGUF" });
  hub.restrict("org/private", "private");
});
afterAll(() => hub[Symbol.asyncDispose]());

test("lists every file, over all pages", async () => {
  const entries: ListFileEntry[] = [];
  for await (const entry of listFiles({ repo, recursive: true, hubUrl: hub.endpoint })) entries.push(entry);
  expect(entries.map(({ type, path }) => `${type} ${path}`).toSorted()).toEqual([
    "directory sub",
    "directory sub/folder",
    "file README.md",
    "file sub/folder/config.json",
    "file tiny.Q4_K_M.gguf",
  ]);
  const [readme, gguf] = ["README.md", "tiny.Q4_K_M.gguf"].map((path) =>
    entries.find((entry) => entry.path === path),
  );
  // `printf '# Tiny\n' | git hash-object --stdin`
  expect(readme).toMatchObject({ size: 7, oid: "14d286ebf3febd1e7319ce671d8d399dfe187ee4" });
  expect(gguf?.lfs).toMatchObject({ size: 300_000, oid: expect.stringMatching(/^[0-9a-f]{64}$/) });
});

test("tells a model's commit, and paths", async () => {
  const info = await modelInfo({ name: repo, additionalFields: ["sha", "filePaths"], hubUrl: hub.endpoint });
  expect(info).toMatchObject({ name: repo, sha: commit, gated: false, private: false });
  expect(info.filePaths).toContain("tiny.Q4_K_M.gguf");
  const [path] = await pathsInfo({ repo, paths: ["README.md"], hubUrl: hub.endpoint });
  expect(path).toMatchObject({ path: "README.md", type: "file", size: 7 });
});

test("finds models", async () => {
  const names: string[] = [];
  const models = listModels({ search: { query: "TINY", tags: ["gguf"] }, hubUrl: hub.endpoint });
  for await (const { name } of models) names.push(name);
  expect(names).toEqual([repo]);
});

test.for(["README.md", "tiny.Q4_K_M.gguf"])("downloads %s, whole and in part", async (path) => {
  const info = await fileDownloadInfo({ repo, path, hubUrl: hub.endpoint });
  const blob = await downloadFile({ repo, path, hubUrl: hub.endpoint });
  const bytes = await blob?.arrayBuffer();
  expect(bytes?.byteLength).toBe(info?.size);
  expect(await blob?.slice(2, 5).arrayBuffer()).toEqual(bytes?.slice(2, 5));
});

test("a file that is not there is none", async () => {
  expect(await fileDownloadInfo({ repo, path: "no.gguf", hubUrl: hub.endpoint })).toBeNull();
});

test("a gated repository wants a token that was accepted", async () => {
  const asked = { repo: "org/gated", path: "a.gguf", hubUrl: hub.endpoint };
  await expect(fileDownloadInfo(asked)).rejects.toMatchObject({ statusCode: 401 });
  await expect(fileDownloadInfo({ ...asked, accessToken: "hf_other" })).rejects.toMatchObject({
    statusCode: 403,
  });
  expect(await fileDownloadInfo({ ...asked, accessToken: "hf_accepted" })).toMatchObject({ size: 4 });
});

test("a private repository is none to strangers", async () => {
  const asked = { name: "org/private", hubUrl: hub.endpoint };
  await expect(modelInfo(asked)).rejects.toMatchObject({ statusCode: 401 });
  await expect(modelInfo({ ...asked, accessToken: "hf_other" })).rejects.toMatchObject({ statusCode: 404 });
});
