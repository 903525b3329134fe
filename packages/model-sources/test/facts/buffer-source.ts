import type { ByteSource } from "../../src/facts/byte-source.ts";

/** Bytes in memory as a source that counts what is read of it. */
export class BufferSource implements ByteSource {
  readonly name = "a.gguf";
  readonly sizeBytes: number;
  readonly chunkBytes: number;
  readonly #bytes: Buffer;
  bytesRead = 0;

  /** @param sizeBytes how large it claims to be. */
  constructor(
    bytes: Buffer,
    { chunkBytes = 65_536, sizeBytes = bytes.length }: { chunkBytes?: number; sizeBytes?: number } = {},
  ) {
    this.#bytes = bytes;
    this.chunkBytes = chunkBytes;
    this.sizeBytes = sizeBytes;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = this.#bytes.subarray(offset, offset + length);
    this.bytesRead += bytes.length;
    return bytes;
  }
}
