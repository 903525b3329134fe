import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A process of the same Node that runs one of the scripts beside this file. */
export interface StartedProcess {
  readonly pid: number;
  /** Waits for the next line that begins with a word and gives what follows it, from JSON. */
  next<T>(word: string): Promise<T>;
  /** What has come with a word and was not asked for; after it has ended, all the rest of it. */
  all<T>(word: string): Promise<T[]>;
  send(line: string): void;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended, with what it wrote to stderr. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; errors: string }>;
}

export interface StartOptions {
  /** Milliseconds by which the process sees the wall clock moved. */
  clockShiftMs?: number;
  /** A program and its arguments that starts the process, e.g. `strace`. */
  through?: readonly string[];
}

function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

function take(line: string, word: string): { value: unknown } | undefined {
  if (line !== word && !line.startsWith(`${word} `)) return undefined;
  const text = line.slice(word.length + 1);
  return { value: text === "" ? undefined : JSON.parse(text) };
}

/** Starts a script with one argument, as JSON. */
export function startProcess(script: string, argument: unknown, options: StartOptions = {}): StartedProcess {
  const shift = options.clockShiftMs === undefined ? [] : ["--import", here("shifted-clock.ts")];
  const node = [
    process.execPath,
    "--conditions=@cortex/source",
    ...shift,
    here(script),
    JSON.stringify(argument),
  ];
  const [command, ...rest] = [...(options.through ?? []), ...node];
  const child = spawn(command!, rest, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, CLOCK_SHIFT_MS: String(options.clockShiftMs ?? 0) },
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const waiting: { word: string; resolve: (value: never) => void; reject: (error: Error) => void }[] = [];
  const early: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    const index = waiting.findIndex(({ word }) => take(line, word) !== undefined);
    if (index < 0) early.push(line);
    else {
      const [waiter] = waiting.splice(index, 1);
      waiter!.resolve(take(line, waiter!.word)!.value as never);
    }
  });
  const ended = once(child, "close").then(([code, signal]) => {
    const last = new Error(`${script} ended (${String(code ?? signal)}): ${errors}`);
    for (const { reject } of waiting.splice(0)) reject(last);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, errors };
  });
  return {
    pid: child.pid!,
    ended,
    next<T>(word: string): Promise<T> {
      const index = early.findIndex((line) => take(line, word) !== undefined);
      if (index >= 0) return Promise.resolve(take(early.splice(index, 1)[0]!, word)!.value as T);
      if (child.exitCode !== null || child.signalCode !== null) {
        return Promise.reject(new Error(`${script} has ended without ${word}: ${errors}`));
      }
      return new Promise<T>((resolve, reject) => waiting.push({ word, resolve, reject }));
    },
    async all<T>(word: string): Promise<T[]> {
      const found = early.map((line) => take(line, word)).filter((line) => line !== undefined);
      return found.map(({ value }) => value as T);
    },
    send(line) {
      child.stdin.write(`${line}\n`);
    },
    kill(signal) {
      child.kill(signal);
    },
  };
}
