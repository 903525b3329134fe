import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** What a process of `cortex` did. */
export interface Result {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of its own with a registry in it that does not exist yet; removed at the end of its scope. */
export class Sandbox implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), "cortex-cli-"));
  readonly db = this.path("registry.db");

  path(name: string): string {
    return path.join(this.folder, name);
  }

  /** Runs `cortex` on the sandbox's registry, with no terminal. */
  run(args: readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Promise<Result> {
    return new Promise((resolve, reject) => {
      const child = this.start(args, env);
      const result = { stdout: "", stderr: "" };
      child.stdout.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (result.stderr += text));
      child.on("error", reject);
      child.on("close", (exitCode) => resolve({ exitCode, ...result }));
      // A process that refuses its arguments does not read on.
      child.stdin.on("error", () => {});
      child.stdin.end(input);
    });
  }

  /** Runs `cortex`, which must succeed, and gives what it printed. */
  async output(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(args);
    if (exitCode !== 0) throw new Error(`cortex ${args.join(" ")}: exit ${exitCode}: ${stderr}`);
    return stdout;
  }

  /** Runs `cortex … --json`, which must succeed, and gives what it printed as a value. */
  async json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    return JSON.parse(await this.output(...args, "--json")) as T;
  }

  /** Starts `cortex` and leaves it running. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    return spawn(process.execPath, ["--conditions=@cortex/source", MAIN, ...args], {
      cwd: this.folder,
      env: { PATH: process.env["PATH"], HOME: this.folder, CORTEX_DB: this.db, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A list as `--json` prints it. */
export interface List<T = Record<string, unknown>> {
  readonly data: readonly T[];
  readonly next_cursor: string | null;
  readonly total?: number;
}
