import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname, resolve } from "node:path";

const CHUNK_BYTES = 1024 * 1024;

/** What a file holds, in few words. */
export interface Fingerprint {
  readonly bytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** Copies a file to a new one, through to the disk. @returns what was read. */
export function copyDurably(from: string, to: string): Fingerprint {
  const target = openSync(to, "wx", 0o600);
  try {
    const fingerprint = readAll(from, (chunk) => {
      for (let at = 0; at < chunk.length;) at += writeSync(target, chunk, at);
    });
    fsyncSync(target);
    return fingerprint;
  } finally {
    closeSync(target);
  }
}

/** Reads a file and says what it holds. */
export function fingerprintOf(path: string): Fingerprint {
  return readAll(path, () => undefined);
}

/** Writes a small new file, through to the disk; where that fails, nothing is left of it. */
export function writeDurably(path: string, text: string | Uint8Array): void {
  const descriptor = openSync(path, "wx", 0o600);
  try {
    // A disk that is nearly full takes a part, and says so only the next time.
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at);
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

/** Writes a small file, over one that may be there: whatever happens, it is the old or the new one, whole. */
export function replaceDurably(path: string, text: string): void {
  const partial = `${path}.${process.pid}.partial`;
  rmSync(partial, { force: true });
  try {
    writeDurably(partial, text);
    renameDurably(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/**
 * Makes a folder, with those on the way; what is there already stays. (`mkdirSync` with `recursive` goes
 * round in circles where the system lets nobody make one, as in `/proc`.)
 *
 * @returns whether it was not there before.
 */
export function makeFolder(path: string, mode = 0o777): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return false;
  const parent = dirname(resolve(path));
  if (statSync(parent, { throwIfNoEntry: false }) === undefined) makeFolder(parent, mode);
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    // Somebody else was quicker.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return false;
    throw error;
  }
}

/** Gives a file or folder its name in one step that survives a power failure. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to);
  syncPath(dirname(to));
}

/** Whose a file is and who may use it, as `stat` says it. */
export interface FileRights {
  readonly mode: number | bigint;
  readonly uid: number | bigint;
  readonly gid: number | bigint;
}

/**
 * Lets the same people read and write a file as another one that it is a copy of, or takes the place of. Its
 * owner stays who wrote it where only an administrator may give files away; a group that cannot be given takes
 * its rights along, and nobody else's gets them.
 *
 * @param of what `stat` says of the other one.
 */
export function takeOverRights(path: string, of: FileRights): void {
  const [mode, uid, gid] = [Number(of.mode), Number(of.uid), Number(of.gid)];
  const now = statSync(path);
  const hasGroup = now.gid === gid || tryChown(path, now.uid, gid);
  if (now.uid !== uid) tryChown(path, uid, hasGroup ? gid : now.gid);
  chmodSync(path, mode & (hasGroup ? 0o7777 : 0o7707));
}

function tryChown(path: string, uid: number, gid: number): boolean {
  try {
    chownSync(path, uid, gid);
    return true;
  } catch {
    return false;
  }
}

/** Waits until a file, or the names in a folder, are on the disk. */
export function syncPath(path: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    // Windows does not open folders.
    if ((error as NodeJS.ErrnoException).code === "EISDIR" || process.platform === "win32") return;
    throw error;
  }
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function readAll(path: string, onChunk: (chunk: Buffer) => void): Fingerprint {
  const hash = process.getBuiltinModule("node:crypto").createHash("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const descriptor = openSync(path, "r");
  let bytes = 0;
  try {
    for (;;) {
      const read = readSync(descriptor, chunk, 0, CHUNK_BYTES, null);
      if (read === 0) return { bytes, sha256: hash.digest("hex") };
      hash.update(chunk.subarray(0, read));
      onChunk(chunk.subarray(0, read));
      bytes += read;
    }
  } finally {
    closeSync(descriptor);
  }
}
