import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, connect, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { pinnedServer } from "./processor-pinning.ts";

const REPORTER = join(import.meta.dirname, "../processes/report-on-demand.ts");
const START_TIMEOUT_MS = 30_000;

/** What a server process has used. */
export interface Usage {
  /** User and system time, microseconds. */
  readonly cpuMicros: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** A server in a process of its own, kept to one processor. */
export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /**
   * Starts a server and waits until it can be reached.
   *
   * @param program gives the script and its arguments for a port.
   */
  static async start(program: (port: number) => readonly string[]): Promise<ServerProcess> {
    const port = await freePort();
    const flags = [...process.execArgv, `--import=${REPORTER}`];
    const [command, ...rest] = pinnedServer([process.execPath, ...flags, ...program(port)]);
    const child = spawn(command!, rest, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    let said = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-4000)));
    const server = new ServerProcess(child, port);
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await isListening(port))) {
      if (child.exitCode !== null || performance.now() > deadline) {
        await server[Symbol.asyncDispose]();
        throw new Error(`${program(port).join(" ")} did not start: ${said}`);
      }
      await sleep(20);
    }
    return server;
  }

  /** What the process has used until now. */
  usage(): Promise<Usage> {
    return this.#ask("usage");
  }

  /** The same, after its garbage was collected. */
  usageWithoutGarbage(): Promise<Usage> {
    return this.#ask("collect");
  }

  async #ask(what: "usage" | "collect"): Promise<Usage> {
    const answered = once(this.#child, "message");
    this.#child.send(what);
    const [usage] = (await answered) as [Usage];
    return usage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
