import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const PROGRAM = [process.execPath, "--conditions=@cortex/source", MAIN] as const;

/** One line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** What a process of `cortex-server` did. */
export interface Result {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder of its own for programs, which are ended with it. */
export class Sandbox implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), "cortex-server-"));
  readonly db = this.path("registry.db");
  readonly #running = new Set<ChildProcessWithoutNullStreams>();

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Runs `cortex-server` to its end. */
  async run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Result> {
    const child = this.#spawn(args, env);
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const [exitCode] = (await once(child, "close")) as [number | null];
    return { exitCode, stdout, stderr };
  }

  /** Runs `cortex-server` to its end, with its output where a shell puts it, such as `>/dev/full`. */
  runRedirected(redirection: string, args: readonly string[]): Result {
    const command = ["-c", `exec "$0" "$@" ${redirection}`, ...PROGRAM, ...args];
    const { status, stdout, stderr } = spawnSync("sh", command, { ...this.#place({}), encoding: "utf8" });
    return { exitCode: status, stdout, stderr };
  }

  /** Starts `cortex-server` on the sandbox's registry and a free port, and waits until it listens. */
  async start(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Server> {
    const port = args.includes("--socket") || args.includes("--port") ? [] : ["--port", "0"];
    const server = new Server(this.#spawn(["--db", this.db, ...port, ...args], env));
    await server.line(({ msg }) => String(msg).startsWith("Listening"));
    return server;
  }

  /** Starts `cortex-server` in a terminal, whose other end is the streams of what is returned. */
  startAtTerminal(): ChildProcessWithoutNullStreams {
    const words = [...PROGRAM, "--db", this.db, "--port", "0"].map((word) => `'${word}'`);
    const command = `exec ${words.join(" ")}`;
    return this.#watch(spawn("script", ["-qefc", command, "/dev/null"], this.#place({})));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      Array.from(this.#running, async (child) => {
        child.kill("SIGKILL");
        if (child.exitCode === null && child.signalCode === null) await once(child, "close");
      }),
    );
    rmSync(this.folder, { recursive: true, force: true });
  }

  #spawn(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcessWithoutNullStreams {
    const [file, ...before] = PROGRAM;
    return this.#watch(spawn(file, [...before, ...args], this.#place(env)));
  }

  #watch(child: ChildProcessWithoutNullStreams): ChildProcessWithoutNullStreams {
    this.#running.add(child);
    child.once("close", () => this.#running.delete(child));
    return child;
  }

  #place(env: NodeJS.ProcessEnv): { cwd: string; env: NodeJS.ProcessEnv } {
    const own = { PATH: process.env["PATH"], HOME: this.folder, CORTEX_HOME: this.path("home") };
    return { cwd: this.folder, env: { ...own, ...env } };
  }
}

/** A server that runs. */
export class Server {
  readonly process: ChildProcessWithoutNullStreams;
  /** What it has logged. */
  readonly log: LogLine[] = [];
  stderr = "";
  readonly #closed: Promise<unknown[]>;
  readonly #lines = new EventTarget();

  constructor(child: ChildProcessWithoutNullStreams) {
    this.process = child;
    this.#closed = once(child, "close");
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    createInterface(child.stdout).on("line", (line) => {
      this.log.push(JSON.parse(line) as LogLine);
      this.#lines.dispatchEvent(new Event("line"));
    });
  }

  /** Where it answers, without a slash at the end. */
  get url(): string {
    const line = this.log.find(({ address }) => String(address).startsWith("http"));
    return String(line?.["address"]);
  }

  /** Waits for a line of the log. */
  async line(isIt: (line: LogLine) => boolean): Promise<LogLine> {
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
    const look = (): void => {
      const found = this.log.find(isIt);
      if (found !== undefined) resolve(found);
    };
    this.#lines.addEventListener("line", look);
    look();
    void this.#closed.then(() => reject(new Error(`It ended: ${this.stderr}`)));
    try {
      return await promise;
    } finally {
      this.#lines.removeEventListener("line", look);
    }
  }

  /** Sends a signal, and waits for the end. @returns the exit code */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.process.kill(signal);
    return await this.ended();
  }

  /** Waits for the end. @returns the exit code */
  async ended(): Promise<number | null> {
    await this.#closed;
    return this.process.exitCode;
  }
}
