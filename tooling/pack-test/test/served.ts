import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** A `cortex-server` that listens. */
export interface Served {
  readonly url: string;
  /** Asks it to end. @returns its exit code */
  end(): Promise<number | null>;
}

/**
 * Starts a program of Node that is, or becomes, `cortex-server`, and waits until it listens.
 *
 * @throws Error with what it printed, when it ends instead
 */
export async function serve(args: readonly string[], cwd: string): Promise<Served> {
  const child = spawn(process.execPath, [...args, "--db", "registry.db", "--port", "0"], { cwd });
  const closed = once(child, "close") as Promise<[number | null]>;
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  createInterface(child.stdout).on("line", (line) => {
    const { address } = JSON.parse(line) as { address?: string };
    if (address?.startsWith("http") === true) resolve(address);
  });
  void closed.then(() => reject(new Error(`It ended: ${stderr}`)));
  return {
    url: await promise,
    async end() {
      child.kill("SIGTERM");
      const [exitCode] = await closed;
      return exitCode;
    },
  };
}
