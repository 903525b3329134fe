import {
  closeSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
  type Stats,
} from "node:fs";

import { RegistryError } from "@cortex/model-db";

import { quote } from "./values.ts";

/**
 * Writes parts of a text to a file that appears, or changes, only when it is complete. What a link
 * points to is written, not the link; a device or a pipe gets the text as it comes.
 * @param protect files that must not be written over, such as the registry itself
 * @throws RegistryError `invalid_input` for a folder and for a protected file; the system's errors name `file`
 */
export async function writeWhole(
  file: string,
  parts: AsyncIterable<string>,
  protect: readonly string[],
): Promise<void> {
  const there = statOf(file);
  if (there?.isDirectory() === true)
    throw new RegistryError("invalid_input", `${quote(file)} is a folder: name a file in it.`);
  const own = there === undefined ? undefined : protect.find((other) => isSame(there, statOf(other)));
  if (own !== undefined) {
    throw new RegistryError(
      "invalid_input",
      `${quote(file)} is the registry itself (${own}): name another file.`,
    );
  }
  try {
    if (there === undefined || there.isFile()) {
      await replace(there === undefined ? file : realpathSync(file), parts);
    } else {
      await write(openSync(file, "w"), parts);
    }
  } catch (error) {
    // A person named the file, not the one beside it that becomes it.
    if (error instanceof Error && "syscall" in error) Object.assign(error, { path: file, dest: undefined });
    throw error;
  }
}

async function replace(file: string, parts: AsyncIterable<string>): Promise<void> {
  const unfinished = `${file}.${process.pid}.part`;
  const fd = openSync(unfinished, "wx", 0o600);
  try {
    await write(fd, parts, fsyncSync);
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

async function write(
  fd: number,
  parts: AsyncIterable<string>,
  finish: (fd: number) => void = () => {},
): Promise<void> {
  try {
    for await (const part of parts) {
      const bytes = Buffer.from(part);
      for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
    }
    finish(fd);
  } finally {
    closeSync(fd);
  }
}

function statOf(file: string): Stats | undefined {
  return statSync(file, { throwIfNoEntry: false });
}

function isSame(one: Stats, other: Stats | undefined): boolean {
  return other !== undefined && one.dev === other.dev && one.ino === other.ino;
}
