import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";

// Large enough for a disk to stream, small enough to notice an interruption at once.
const CHUNK_BYTES = 1024 * 1024;

/** How a file is read for its digest. */
export interface HashOptions {
  /** Ends it early, with what the signal was aborted with. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each piece: how many bytes it has. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Given each piece, before the one behind the next is read. */
  readonly onChunk?: ((chunk: Buffer) => Promise<void>) | undefined;
}

/**
 * The SHA-256 of a file's content, from its beginning. Two pieces are held at a time, however large it is: the next is read while one
 * is hashed.
 *
 * @param file its path, or the file itself, which stays open.
 * @returns 64 lower-case hexadecimal digits, and how many bytes were read.
 * @throws what the system says of a file that cannot be read; what the signal was aborted with.
 */
export async function hashFile(
  file: string | FileHandle,
  options: HashOptions = {},
): Promise<{ sha256: string; sizeBytes: number }> {
  if (typeof file !== "string") return hashOpenFile(file, options);
  await using handle = await open(file, "r");
  return await hashOpenFile(handle, options);
}

async function hashOpenFile(
  file: FileHandle,
  { signal, onBytes, onChunk }: HashOptions,
): Promise<{ sha256: string; sizeBytes: number }> {
  const hash = createHash("sha256");
  let spare = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let sizeBytes = 0;
  let reading = file.read(Buffer.allocUnsafeSlow(CHUNK_BYTES), 0, CHUNK_BYTES, 0);
  for (;;) {
    const { bytesRead, buffer } = await reading;
    if (bytesRead === 0) return { sha256: hash.digest("hex"), sizeBytes };
    signal?.throwIfAborted();
    sizeBytes += bytesRead;
    reading = file.read(spare, 0, CHUNK_BYTES, sizeBytes);
    spare = buffer;
    try {
      const chunk = buffer.subarray(0, bytesRead);
      hash.update(chunk);
      await onChunk?.(chunk);
      onBytes?.(bytesRead);
    } catch (error) {
      await reading.catch(() => undefined);
      throw error;
    }
  }
}
