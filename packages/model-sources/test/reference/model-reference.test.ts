import type { RegistryError } from "@cortex/model-db";
import fc from "fast-check";
import { expect, test } from "vitest";

import { parseReference, type RepositoryReference } from "../../src/reference/model-reference.ts";

function repository(repo: string, rest: Partial<RepositoryReference> = {}): RepositoryReference {
  const sourceType = repo.startsWith("cortexso/") ? "cortex.so" : "huggingface";
  return { kind: "repository", sourceType, repo, revision: null, quantization: null, file: null, ...rest };
}

test.for<[text: string, expected: RepositoryReference]>([
  ["org/repo", repository("org/repo")],
  ["  hf.co/org/repo ", repository("org/repo")],
  ["huggingface.co/org/repo", repository("org/repo")],
  ["org/repo:Q4_K_M", repository("org/repo", { quantization: "Q4_K_M" })],
  ["hf.co/org/repo:q8_0@v1.0", repository("org/repo", { quantization: "q8_0", revision: "v1.0" })],
  ["org/repo@refs/pr/1", repository("org/repo", { revision: "refs/pr/1" })],
  ["org/repo/sub/file.gguf", repository("org/repo", { file: "sub/file.gguf" })],
  ["huggingface.co/org/repo/file.gguf", repository("org/repo", { file: "file.gguf" })],
  ["org/repo:file.gguf", repository("org/repo", { file: "file.gguf" })],
  ["org:repo:file.gguf", repository("org/repo", { file: "file.gguf" })],
  ["https://huggingface.co/org/repo", repository("org/repo")],
  ["https://huggingface.co/org/repo/tree/dev", repository("org/repo", { revision: "dev" })],
  [
    "https://huggingface.co/org/repo/blob/main/sub/a%20b.gguf",
    repository("org/repo", { revision: "main", file: "sub/a b.gguf" }),
  ],
  [
    "https://hf.co/org/repo/resolve/refs%2Fpr%2F1/a.gguf?download=true",
    repository("org/repo", { revision: "refs/pr/1", file: "a.gguf" }),
  ],
  ["tinyllama:1b-gguf", repository("cortexso/tinyllama", { revision: "1b-gguf" })],
  ["tinyllama", repository("cortexso/tinyllama")],
  ["cortex.so/tinyllama:1b-gguf", repository("cortexso/tinyllama", { revision: "1b-gguf" })],
  ["cortexso/tinyllama:1b-gguf", repository("cortexso/tinyllama", { revision: "1b-gguf" })],
  ["hf.co/cortexso/tinyllama", repository("cortexso/tinyllama")],
])("%s is understood", ([text, expected]) => {
  expect(parseReference(text)).toEqual(expected);
});

test("a .gguf file of any other server is named by its URL", () => {
  const url = "https://example.org/models/a.gguf?key=1";
  expect(parseReference(`${url}#top`)).toEqual({ kind: "file", url });
});

test("URLs below the endpoint in use are those of the hub", () => {
  const text = "http://mirror.lan:8080/hf/org/repo/resolve/main/a.gguf";
  const expected = repository("org/repo", { revision: "main", file: "a.gguf" });
  expect(parseReference(text, "http://mirror.lan:8080/hf")).toEqual(expected);
  expect(parseReference(text)).toEqual({ kind: "file", url: text });
});

test("a .gguf file of the host that HF_ENDPOINT names is that file, unless it is one of a repository", () => {
  for (const path of ["a.gguf", "files/a.gguf", "files/of/mine/a.gguf"]) {
    const url = `http://127.0.0.1:8000/${path}`;
    expect(parseReference(url, "http://127.0.0.1:8000")).toEqual({ kind: "file", url });
  }
  expect(parseReference("https://huggingface.co/org/a.gguf")).toEqual(repository("org/a.gguf"));
});

test.for([
  "",
  " ",
  "a".repeat(3000),
  "../repo",
  "org/../etc",
  "org/repo@../../api",
  "org/repo@a//b",
  "org/repo@",
  "org/repo@main?x=1",
  "org/repo:Q4?x",
  "org/repo#x",
  "org name/repo",
  "a:b:c:d",
  "tinyllama:1b/../../x",
  "-rf/repo",
  "ftp://example.org/a.gguf",
  "file:///etc/passwd.gguf",
  "https://example.org/a.zip",
  "https://example.org/",
  "https://huggingface.co/org/repo/blob/main",
  "https://huggingface.co/org/repo/discussions/1",
  "https://huggingface.co/%zz/repo",
  "https://example.org/%zz/a.gguf",
])("%j is refused, and what can be given is said", (text) => {
  expect(() => parseReference(text)).toThrow(
    expect.objectContaining({ code: "invalid_input", message: expect.stringContaining("org/repo") }),
  );
});

test("a password in a URL is refused and not repeated", () => {
  expect(() => parseReference("https://ann:secret@example.org/a.gguf")).toThrow(/^(?!.*secret).*password/);
});

test("whatever is given, what comes of it leads nowhere else on the hub, or it is refused", () => {
  const word = fc.constantFrom(
    "org",
    "repo",
    "..",
    ".",
    "main",
    "a.gguf",
    "tree",
    "resolve",
    "%2e%2e",
    "%2F",
    "",
  );
  const mark = fc.constantFrom("/", ":", "@", "?", "#", "//", "\\\\", " ");
  const start = fc.constantFrom("", "hf.co/", "https://huggingface.co/", "cortex.so/", "https://x.org/");
  const pieced = fc
    .tuple(start, fc.array(fc.tuple(word, mark), { minLength: 1, maxLength: 7 }))
    .map(([head, parts]) => head + parts.flat().join(""));
  fc.assert(
    fc.property(fc.oneof(pieced, fc.string({ unit: "binary" })), (text) => {
      expect(pathAsked(text)).toMatch(/^\/api\/models\/[\w.-]+\/[\w.-]+\/revision\/[\w.%-]+$|\.gguf$/i);
    }),
    { numRuns: 1000 },
  );
});

/** What would be asked for at first. */
function pathAsked(text: string): string {
  try {
    const reference = parseReference(text);
    if (reference.kind === "file") return new URL(reference.url).pathname;
    const revision = encodeURIComponent(reference.revision ?? "main");
    return new URL(`https://hub/api/models/${reference.repo}/revision/${revision}`).pathname;
  } catch (error) {
    if ((error as RegistryError).code !== "invalid_input") throw error;
    return "/api/models/refused/refused/revision/refused";
  }
}
