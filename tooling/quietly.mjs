// quietly.mjs <what it does> <command> [argument…]
// Runs a command and keeps its output to itself, unless the command fails. One that takes longer than a
// second is announced, so that nobody wonders. Plain JavaScript for any Node: it runs before the install.
import { spawn } from "node:child_process";

const [what, command, ...args] = process.argv.slice(2);

const announcement = setTimeout(() => process.stderr.write(`${what} …\n`), 1000);
const output = [];
const child = spawn(command, args, {
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
  shell: process.platform === "win32",
  stdio: ["ignore", "pipe", "pipe"],
});
child.stdout.on("data", (chunk) => output.push(chunk));
child.stderr.on("data", (chunk) => output.push(chunk));
child.on("error", (error) => output.push(Buffer.from(`${error.message}\n`)));
child.on("close", (code) => {
  clearTimeout(announcement);
  if (code === 0) return;
  process.stderr.write(Buffer.concat(output));
  process.exitCode = 1;
});
