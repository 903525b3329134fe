import { createHash } from "node:crypto";
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** What a file holds, and what stores call it by. */
export interface Content {
  readonly sizeBytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Git's id of it: 40 lower-case hexadecimal digits. */
  readonly gitSha1: string;
  /** Writes it to a new file, with the folders on the way. */
  write(path: string): void;
}

/** Content that is really there, with its true digests. */
export function contentOf(bytes: string | Buffer): Content {
  const buffer = Buffer.from(bytes as string);
  return {
    sizeBytes: buffer.length,
    sha256: createHash("sha256").update(buffer).digest("hex"),
    gitSha1: createHash("sha1").update(`blob ${buffer.length}\0`).update(buffer).digest("hex"),
    write: (path) => writeTo(path, buffer),
  };
}

/** Content as large as that of a model, which takes no room and whose digests are made up. @param name of it */
export function hollowContent(name: string, sizeBytes: number): Content {
  const hex = (algorithm: string): string => createHash(algorithm).update(name).digest("hex");
  return {
    sizeBytes,
    sha256: hex("sha256"),
    gitSha1: hex("sha1"),
    write: (path) => {
      mkdirSync(dirname(path), { recursive: true });
      const descriptor = openSync(path, "wx");
      ftruncateSync(descriptor, sizeBytes);
      closeSync(descriptor);
    },
  };
}

/** Writes a file, with the folders on the way. */
export function writeTo(path: string, content: string | Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
