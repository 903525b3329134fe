import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import type { OldConnection, OldRow } from "./old-connection.ts";

/** The version of the `sqlite3` shell that is installed; `undefined` where it, or the `stdbuf` it needs, is not. */
export function findShell(): string | undefined {
  const [shell, buffer] = ["sqlite3", "stdbuf"].map((name) => spawnSync(name, ["--version"]));
  return shell?.status === 0 && buffer?.status === 0 ? shell.stdout.toString().split(" ")[0] : undefined;
}

const END = "--- end of the statement ---";

/** Opens a `cortex.db` through the system's `sqlite3`, a SQLite that is not ours and mostly older. */
export function openShellConnection(path: string): OldConnection {
  // Line by line, which a pipe is not by itself, and errors among the lines, so that they keep their order.
  const command = 'exec stdbuf -oL sqlite3 -batch -json "$0" 2>&1';
  const shell = spawn("sh", ["-c", command, path], { stdio: ["pipe", "pipe", "inherit"] });
  let lines: string[] = [];
  let finish: ((end: string | undefined) => void) | undefined;
  createInterface({ input: shell.stdout }).on("line", (line) => {
    if (line === END) finish?.(undefined);
    else lines.push(line);
  });
  shell.on("close", (code, signal) => finish?.(`sqlite3 ended (${code ?? signal}).`));
  // Told by its end.
  shell.stdin.on("error", () => undefined);
  return {
    async run(sql, values = []) {
      lines = [];
      const ended = new Promise<string | undefined>((resolve) => (finish = resolve));
      let index = 0;
      const text = sql.replaceAll("?", () => quoted(values[index++] ?? null));
      shell.stdin.write(`${text};\n.print ${END}\n`);
      const end = await ended;
      if (end !== undefined) throw new Error(end);
      const output = lines.join("\n");
      if (/^(?:Runtime|Parse) error/.test(output)) throw new Error(output);
      return output === "" ? [] : (JSON.parse(output) as OldRow[]);
    },
    async close() {
      if (shell.exitCode !== null || shell.signalCode !== null) return;
      const closed = once(shell, "close");
      shell.stdin.end();
      await closed;
    },
  };
}

function quoted(value: string | null): string {
  return value === null ? "NULL" : `'${value.replaceAll("'", "''")}'`;
}
