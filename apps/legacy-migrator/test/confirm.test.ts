import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { expect, test, vi } from "vitest";

import { writeModelList } from "./old-data.ts";
import { environment, PROGRAM, runProgram } from "./run-program.ts";
import { temporaryFolder } from "./temporary-folder.ts";

vi.setConfig({ testTimeout: 60_000 });

// Gives a command a terminal, and its exit code; others of that name cannot.
const hasTerminals = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux");

/** What `cortex-migrate --rollback` says at a terminal, and how it ends, after something happened at its question. */
async function atQuestion(
  home: string,
  to: string,
  answer: string,
): Promise<{ code: number | null; out: string }> {
  const command = `echo $$; exec ${[process.execPath, ...PROGRAM, "--rollback", "--to", to].join(" ")}`;
  const child = spawn("script", ["-qec", command, "/dev/null"], { env: environment(home) });
  let out = "";
  let asked = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    if (!out.includes("[y/N]") || asked) return;
    asked = true;
    // The end of the input is an answer, too.
    if (answer === "SIGTERM") process.kill(Number.parseInt(out, 10), answer);
    else child.stdin.end(answer);
  });
  const code = await new Promise<number | null>((done) => child.once("close", done));
  return { code, out };
}

test.runIf(hasTerminals)(
  "a question that is interrupted ends with 130, one that is declined with 1",
  async () => {
    const home = temporaryFolder();
    const to = join(home, "registry.db");
    writeModelList(join(home, "cortexcpp"), "a x main /1.yml one READY\n");
    runProgram(home, "--to", to);
    for (const [answer, code, says] of [
      ["\u0003", 130, "Interrupted. Nothing was changed."],
      ["SIGTERM", 130, "Interrupted. Nothing was changed."],
      ["n\n", 1, "Nothing was changed."],
    ] as const) {
      expect(await atQuestion(home, to, answer), answer).toEqual({
        code,
        out: expect.stringContaining(says),
      });
      expect(existsSync(to)).toBe(true);
    }
  },
);
