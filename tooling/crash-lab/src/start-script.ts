import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** A process that runs one of this package's scripts. */
export interface StartedScript {
  /** Resolves with its first line, or rejects when it ends before. */
  readonly ready: Promise<string>;
  readonly ended: Promise<{ code: number | null; output: string; errors: string }>;
  /** Ends it at once, or with SIGTERM as it likes, and resolves when it is gone. */
  kill(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
}

/** Starts a script beside the processes with one argument, as JSON. */
export function startScript(script: string, argument: object): StartedScript {
  const child = spawn(
    process.execPath,
    ["--conditions=@cortex/source", join(import.meta.dirname, "processes", script), JSON.stringify(argument)],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output, errors }));
  const ready = new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("\n")) resolve(output.slice(0, output.indexOf("\n")));
    });
    void ended.then(() => reject(new Error(`${script} ended before it was ready: ${errors}`)));
  });
  // Who kills it does not ask.
  ready.catch(() => undefined);
  return {
    ready,
    ended,
    async kill(signal = "SIGKILL") {
      child.kill(signal);
      await ended;
    },
  };
}
