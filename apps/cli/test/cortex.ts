import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { vi } from "vitest";

// Each run is a process of its own, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

/** What a process of `cortex` did. */
export interface Result {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A list as `--json` prints it. */
export interface List<T = Record<string, unknown>> {
  readonly data: readonly T[];
  readonly next_cursor: string | null;
  readonly total?: number;
}

/** A folder of its own, for a registry that does not exist yet; removed at the end of its scope. */
export class Sandbox implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), "cortex-cli-"));
  readonly db = this.path("registry.db");

  path(name: string): string {
    return path.join(this.folder, name);
  }

  /** Runs `cortex` on the sandbox's registry, with no terminal. */
  run(args: readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Promise<Result> {
    const child = this.start(args, env);
    // A process that refuses its arguments does not read on.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    return finished(child);
  }

  /** Runs `cortex`, which must succeed, and gives what it printed. */
  async output(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(args);
    if (exitCode !== 0) throw new Error(`cortex ${args.join(" ")}: exit ${exitCode}: ${stderr}`);
    return stdout;
  }

  /** Runs `cortex … --json`, which must succeed, and gives what it printed as a value. */
  async json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    return JSON.parse(await this.output("--json", ...args)) as T;
  }

  /** Starts `cortex` and leaves it running. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [...PROGRAM, ...args], {
      cwd: this.folder,
      env: { PATH: process.env["PATH"], HOME: this.folder, CORTEX_DB: this.db, ...env },
    });
  }

  /** Starts `cortex` in a terminal, whose other end is the streams of what is returned. */
  startAtTerminal(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcessWithoutNullStreams {
    const words = [process.execPath, ...PROGRAM, ...args].map((word) => `'${word}'`);
    return spawn("script", ["-qefc", `exec ${words.join(" ")}`, "/dev/null"], {
      cwd: this.folder,
      env: { PATH: process.env["PATH"], HOME: this.folder, CORTEX_DB: this.db, ...env },
    });
  }

  /** Runs `cortex` with its output where a shell puts it, such as `>/dev/full`. */
  runRedirected(redirection: string, args: readonly string[]): Result {
    const shell = spawnSync(
      "sh",
      ["-c", `exec "$0" "$@" ${redirection}`, process.execPath, ...PROGRAM, ...args],
      {
        cwd: this.folder,
        env: { PATH: process.env["PATH"], HOME: this.folder, CORTEX_DB: this.db },
        encoding: "utf8",
      },
    );
    return { exitCode: shell.status, stdout: shell.stdout, stderr: shell.stderr };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits for a process to end. */
export function finished(child: ChildProcessWithoutNullStreams): Promise<Result> {
  return new Promise((resolve, reject) => {
    const result = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (result.stderr += text));
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, ...result }));
  });
}

// What is installed is what is tested; while it is older than its sources, they are.
const BUILT = fileURLToPath(new URL("../dist/main.cjs", import.meta.url));
const SOURCE = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const PROGRAM = isBuilt() ? [BUILT] : ["--conditions=@cortex/source", SOURCE];

/** The first file of the program as it is installed; `undefined` while that is older than its sources. */
export const builtProgram: string | undefined = isBuilt() ? BUILT : undefined;

function isBuilt(): boolean {
  if (!existsSync(BUILT)) return false;
  const built = statSync(BUILT).mtimeMs;
  const folders = ["../src", "../../../packages/model-db/src", "../../../packages/model-sources/src"];
  return folders.every((folder) => {
    const sources = fileURLToPath(new URL(folder, import.meta.url));
    const names = readdirSync(sources, { recursive: true, encoding: "utf8" });
    return names.every((name) => statSync(path.join(sources, name)).mtimeMs <= built);
  });
}
