import { createHash } from "node:crypto";

/**
 * What a file holds: a text, bytes, or so many bytes of a pattern, which is made as it is sent and takes
 * no room. Patterns of different seeds differ everywhere.
 */
export type ContentSource =
  | string
  | Uint8Array
  | { readonly sizeBytes: number; readonly seed?: number; readonly sha256?: string };

const BLOCK_BYTES = 1024 * 1024;
// What `.gitattributes` of the hub keeps in Git LFS.
const LFS_NAME = /\.(?:gguf|safetensors|bin|pt|onnx|model)$/i;
const LFS_BYTES = 10_000_000;

/** The content of one file, and what the hub tells of it. */
export class Content {
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Git's id of the content, or of the pointer to it where it is in LFS. */
  readonly oid: string;
  readonly isLfs: boolean;
  readonly #block: Buffer;

  constructor(path: string, source: ContentSource) {
    const isPattern = typeof source === "object" && !(source instanceof Uint8Array);
    this.#block = isPattern ? pattern(source.seed ?? 1) : Buffer.from(source as Uint8Array);
    this.sizeBytes = isPattern ? source.sizeBytes : this.#block.length;
    this.isLfs = LFS_NAME.test(path) || this.sizeBytes > LFS_BYTES;
    this.sha256 = (isPattern ? source.sha256 : undefined) ?? this.#hash("sha256", "");
    const pointer = this.pointer;
    this.oid = this.isLfs
      ? createHash("sha1").update(`blob ${pointer.length}\0${pointer}`).digest("hex")
      : this.#hash("sha1", `blob ${this.sizeBytes}\0`);
  }

  /** What Git itself keeps of a file in LFS (git-lfs, docs/spec.md). */
  get pointer(): string {
    return `version https://git-lfs.github.com/spec/v1\noid sha256:${this.sha256}\nsize ${this.sizeBytes}\n`;
  }

  /** The bytes from one position to another, in pieces of at most 1 MiB. */
  *slices(start: number, end: number): Generator<Buffer> {
    for (let at = start; at < end;) {
      const offset = at % this.#block.length;
      const piece = this.#block.subarray(offset, Math.min(offset + end - at, this.#block.length));
      at += piece.length;
      yield piece;
    }
  }

  #hash(algorithm: string, before: string): string {
    const hash = createHash(algorithm).update(before);
    for (const slice of this.slices(0, this.sizeBytes)) hash.update(slice);
    return hash.digest("hex");
  }
}

/** A block that is repeated: its length is no multiple of what programs read at a time, so that no two reads are equal. */
function pattern(seed: number): Buffer {
  const block = Buffer.allocUnsafe(BLOCK_BYTES - 3);
  let state = seed >>> 0 || 1;
  for (let at = 0; at < block.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    block[at] = state;
  }
  return block;
}
