import { describe, expect, test } from "vitest";

import { safePath } from "../src/safe-path.ts";

describe("a path that somebody else chose", () => {
  test.each([
    "model.gguf",
    "a/b/c.Q4_K_M.gguf",
    "größe/模型.gguf",
    ".gitattributes",
    "console.txt",
    "com.txt",
  ])("%s is taken", (path) => {
    expect(safePath(path)).toBe(path);
  });

  test.each([
    "",
    "/etc/passwd",
    "..",
    "a/../../b",
    "a//b",
    "./a",
    "C:/a",
    "a:stream",
    String.raw`a\b`,
    "NUL",
    "a/con.gguf",
    "aux.tar.gz",
    "LPT¹",
    "end.",
    "end ",
    "a\u0000b",
    "x".repeat(256),
    "a/".repeat(600),
  ])("%j is refused", (path) => {
    expect(() => safePath(path)).toThrow(expect.objectContaining({ code: "invalid_input" }));
  });
});
