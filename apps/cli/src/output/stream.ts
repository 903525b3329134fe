// As an ES module, `node:fs` takes a tenth of an empty process to load; by this way it is there already.
const { existsSync, fstatSync, statSync, writeSync } = process.getBuiltinModule("node:fs");

/** The reader of our output went away (`cortex list | head`): nothing is left to say to anyone. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/** Standard output takes no more: its disk is full, say. */
export class OutputFailed extends Error {
  override readonly name = "OutputFailed";
}

/**
 * Writes text to standard output, all of it, at once. `process.stdout` is not used because merely
 * touching it costs a quarter of an empty Node process.
 * @throws OutputClosed when the reader is gone; OutputFailed, with the system's error as its cause
 */
export function writeOut(text: string): void {
  writeAll(1, text);
}

/** Writes one message to standard error: whatever is not data. Where that fails, there is nowhere to say it. */
export function writeNote(text: string): void {
  try {
    writeAll(2, `${text}\n`);
  } catch (error) {
    if (!(error instanceof OutputClosed || error instanceof OutputFailed)) throw error;
  }
}

/** Whether a standard stream (0, 1 or 2) is a terminal. */
export function isTerminal(fd: 0 | 1 | 2): boolean {
  try {
    // Asking the kernel first: `node:tty` takes long to load, and what is no device needs no second look.
    const device = fstatSync(fd);
    if (process.platform !== "win32" && !device.isCharacterDevice()) return false;
    if (existsSync("/dev/null") && device.rdev === statSync("/dev/null").rdev) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule("node:tty").isatty(fd);
}

/** Columns that a line of output may fill: `COLUMNS`, else the terminal's; `undefined` is no limit. */
export function outputColumns(): number | undefined {
  const asked = Number(process.env["COLUMNS"]);
  if (Number.isInteger(asked) && asked > 0) return asked;
  return isTerminal(1) ? process.stdout.columns : undefined;
}

function writeAll(fd: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE" || code === "EOF") throw new OutputClosed();
      if (code !== "EAGAIN") throw new OutputFailed(undefined, { cause: error });
      // The pipe is full and somebody made it non-blocking: wait for its reader.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}
