import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { AppOptions } from "../src/index.ts";

/** A service in a process of its own. */
export interface ServiceProcess {
  readonly url: string;
  readonly port: number;
  /**
   * Has it make changes of its own.
   *
   * @returns how many models there are then, and the most memory that it has used so far.
   */
  change(count: number): Promise<{ models: number; mostBytes: number }>;
  /** Ends it without a word. */
  kill(): Promise<void>;
}

/** Starts one; port 0 is any. */
export async function startServiceProcess(
  location: string,
  { port = 0, options }: { port?: number; options?: AppOptions } = {},
): Promise<ServiceProcess> {
  const script = fileURLToPath(new URL("processes/service.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    ["--conditions=@cortex/source", script, JSON.stringify({ location, port, options })],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (word: string): Promise<number> => {
    const { value } = await lines.next();
    const [said, number] = String(value).split(" ");
    if (said !== word) throw new Error(`The service said ${String(value)}, not ${word}.`);
    return Number(number);
  };
  const taken = await next("port");
  return {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    async change(count) {
      child.stdin.write(`${count}\n`);
      return { models: await next("made"), mostBytes: await next("mostBytes") };
    },
    async kill() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "close");
    },
  };
}
