import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

import { expect, test } from "vitest";

import { Sandbox } from "./cortex.ts";

test("verbs, flags, words and model names are completed, and nothing ever goes wrong in it", async () => {
  using sandbox = new Sandbox();
  expect(await sandbox.output("__complete", "show", "")).toBe("");
  await sandbox.output("add", "tinyllama:1b-gguf", "--alias", "tiny");
  const complete = async (...words: string[]): Promise<string[]> =>
    (await sandbox.output("__complete", ...words)).trimEnd().split("\n");
  expect(await complete("sh")).toEqual(["show"]);
  expect(await complete("models", "sto")).toEqual(["stop"]);
  expect(await complete("show", "tin")).toEqual(["tiny", "tinyllama:1b-gguf"]);
  expect(await complete("show", "tinyllama:")).toEqual(["tinyllama:1b-gguf"]);
  expect(await complete("list", "--sour")).toEqual(["--source-type"]);
  expect(await complete("list", "--source-type", "h")).toEqual(["huggingface"]);
  expect(await complete("list", "--source-type=h")).toEqual(["--source-type=huggingface"]);
  expect(await complete("tag", "tiny", "")).toEqual([""]);
  expect(await complete("help", "lis")).toEqual(["list"]);
  expect(await complete("migrate", "d")).toEqual(["down"]);
  for (const words of [
    [],
    [""],
    ["--"],
    ["nonsense", ""],
    ["show", "\u0000"],
    ["--db", "/nowhere", "show", ""],
  ]) {
    expect(
      await sandbox.run(["__complete", ...words.map((word) => word.replaceAll("\0", ""))]),
    ).toMatchObject({ exitCode: 0, stderr: "" });
  }
});

// A shell that is not installed has no opinion.
const shells = ["bash", "zsh", "fish"].filter((shell) => spawnSync(shell, ["-c", ""]).status === 0);

test.each(shells)("the completion script of %s is one that the shell accepts", async (shell) => {
  using sandbox = new Sandbox();
  const script = await sandbox.output("completion", shell);
  expect(script).toContain("cortex __complete");
  writeFileSync(sandbox.path("script"), script);
  const checked = spawnSync(shell, ["-n", sandbox.path("script")], { encoding: "utf8" });
  expect(checked).toMatchObject({ status: 0, stderr: "" });
});

/** What a shell prints that completes in a folder, where `cortex` completes to the names and keeps what it was asked. */
function completeIn(shell: string, folder: string, names: readonly string[], commands: string): string {
  writeFileSync(`${folder}/names`, names.map((name) => `${name}\n`).join(""));
  writeFileSync(
    `${folder}/cortex`,
    `#!/bin/sh\nprintf '%s\\n' "$@" > ${folder}/asked\ncat ${folder}/names\n`,
    {
      mode: 0o755,
    },
  );
  const env = { PATH: `${folder}:${process.env["PATH"]}`, HOME: folder };
  return spawnSync(shell, ["-c", commands], { encoding: "utf8", env, cwd: folder }).stdout;
}

/** What bash would put into the line behind these words, one candidate a line. */
function completeInBash(script: string, folder: string, names: readonly string[], ask: string): string {
  const asked = `${ask}; _cortex 2>/dev/null; printf "%s\\n" "\${COMPREPLY[@]}"`;
  return completeIn("bash", folder, names, `${script}\n${asked}`);
}

test.runIf(shells.includes("bash"))("bash completes an id with colons in it", async () => {
  using sandbox = new Sandbox();
  const script = await sandbox.output("completion", "bash");
  const ids = ["tinyllama:1b-gguf", "tinyllama:3b-gguf"];
  const ask = "COMP_WORDS=(cortex show tinyllama : 1); COMP_CWORD=4";
  expect(completeInBash(script, sandbox.folder, ids, ask)).toBe("1b-gguf\n3b-gguf\n");
});

test.runIf(shells.includes("bash"))("a completed name is one word for bash and never runs", async () => {
  using sandbox = new Sandbox();
  const script = await sandbox.output("completion", "bash");
  const names = ["do$(touch ran)", "do`touch ran`", "do;touch ran", "do with space", "do'\"\\*~", "do模型"];
  const ask = "COMP_WORDS=(cortex show do); COMP_CWORD=2";
  const candidates = completeInBash(script, sandbox.folder, names, ask).trimEnd().split("\n");
  const line = `printf '%s\\n' ${candidates.join(" ")}`;
  const { stdout } = spawnSync("bash", ["-c", line], { encoding: "utf8", cwd: sandbox.folder });
  expect(stdout.trimEnd().split("\n")).toEqual(names);
  expect(existsSync(sandbox.path("ran"))).toBe(false);
  // What is in the line already may be quoted in the same way.
  completeInBash(script, sandbox.folder, names, "COMP_WORDS=(cortex show 'do\\ w'); COMP_CWORD=2");
  expect(readFileSync(sandbox.path("asked"), "utf8")).toBe("__complete\nshow\ndo w\n");
  const filtered = `COMP_WORDS=(cortex list --filter "'a>1'" --so); COMP_CWORD=4`;
  completeInBash(script, sandbox.folder, names, filtered);
  expect(readFileSync(sandbox.path("asked"), "utf8")).toBe("__complete\nlist\n--filter\na>1\n--so\n");
});

test.runIf(shells.includes("zsh"))(
  "zsh asks for the words that are meant, and offers files where there are no names",
  async () => {
    using sandbox = new Sandbox();
    const script = await sandbox.output("completion", "zsh");
    // What zsh has where it completes; it quotes what is offered.
    const offers = 'compdef() {}; compadd() { shift; print -rl -- "$@" }; _files() { print files }';
    const ask = (names: readonly string[], set: string): string =>
      completeIn("zsh", sandbox.folder, names, `${offers}\n${script}\n${set}; _cortex`);
    const ids = ["tinyllama:1b-gguf", "tinyllama:3b-gguf"];
    expect(ask(ids, "words=(cortex show tinyllama:); CURRENT=3; PREFIX=tinyllama:")).toBe(
      `${ids.join("\n")}\n`,
    );
    expect(ask([], "words=(cortex import m); CURRENT=3; PREFIX=m")).toBe("files\n");
    ask([], String.raw`words=(cortex list --filter \'a\>1\' 'do\ w'); CURRENT=5; PREFIX='do\ w'`);
    expect(readFileSync(sandbox.path("asked"), "utf8")).toBe("__complete\nlist\n--filter\na>1\ndo w\n");
  },
);

test.runIf(shells.includes("fish"))(
  "fish asks for the words that are meant, and offers files where there are no names",
  async () => {
    using sandbox = new Sandbox();
    const script = await sandbox.output("completion", "fish");
    const ask = (names: readonly string[], line: string): string =>
      completeIn("fish", sandbox.folder, names, `${script}\ncomplete -C "cortex ${line}"`);
    const ids = ["tinyllama:1b-gguf", "tinyllama:3b-gguf"];
    expect(ask(ids, "show tinyllama:")).toBe(`${ids.join("\n")}\n`);
    writeFileSync(sandbox.path("my model.gguf"), "");
    for (const line of ["import my", String.raw`import my\\ m`, "import 'my m", "--db my", "import ~/my"]) {
      expect(ask([], line).trimEnd(), line).toMatch(/^(?:~\/)?my model\.gguf$/);
    }
    for (const written of [String.raw`do\\ w`, "'do w", String.raw`\"do w`]) {
      expect(ask(["do with"], `list --filter 'a>1' ${written}`)).toBe("do with\n");
      expect(readFileSync(sandbox.path("asked"), "utf8")).toBe("__complete\nlist\n--filter\na>1\ndo w\n");
    }
  },
);
