/** Bytes that are read where they are wanted: of a file on this machine, or of one behind a URL. */
export interface ByteSource {
  /** What messages call it. */
  readonly name: string;
  /** All of it, in bytes. */
  readonly sizeBytes: number;
  /** How many bytes are best asked for at once. */
  readonly chunkBytes: number;
  /**
   * Reads a range.
   *
   * @returns `length` bytes from `offset`; fewer only where the source ends.
   * @throws RegistryError `io_error`, `source_unreachable`.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
}
