import { open, mkdtemp, rm, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { HttpError } from "../errors.ts";
import { tooLarge } from "../request/read-bytes.ts";
import type { Line } from "../request/read-lines.ts";

const HEAD_BYTES = 8;
const READ_BYTES = 65_536;

/** How much may wait in all files together: the disk, or the memory behind the folder, is others' too. */
const MOST_BYTES = 268_435_456;
let waitingBytes = 0;

/** Lines that wait in a file of the system's temporary folder, until disposed of. */
export class SpooledLines implements AsyncDisposable {
  readonly #folder: string;
  readonly #file: FileHandle;
  #bytes = 0;

  private constructor(folder: string, file: FileHandle) {
    this.#folder = folder;
    this.#file = file;
  }

  static async create(): Promise<SpooledLines> {
    const folder = await mkdtemp(join(tmpdir(), "cortex-lines-"));
    return new SpooledLines(folder, await open(join(folder, "lines"), "wx+", 0o600));
  }

  /** @throws HttpError `payload_too_large`; `too_busy` where others' lines take the room. */
  async write(bytes: Uint8Array, number: number): Promise<void> {
    this.#takeRoom(HEAD_BYTES + bytes.length);
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(number, 0);
    head.writeUInt32LE(bytes.length, 4);
    await this.#file.appendFile(Buffer.concat([head, bytes]));
  }

  /** All that was written, in its order. */
  async *read(): AsyncGenerator<Line, undefined> {
    let position = 0;
    let buffer = Buffer.alloc(0);
    const take = async (length: number): Promise<Buffer | undefined> => {
      while (buffer.length < length) {
        const chunk = Buffer.alloc(Math.max(READ_BYTES, length - buffer.length));
        const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, position);
        if (bytesRead === 0) return undefined;
        position += bytesRead;
        buffer = Buffer.concat([buffer, chunk.subarray(0, bytesRead)]);
      }
      const taken = buffer.subarray(0, length);
      buffer = buffer.subarray(length);
      return taken;
    };
    for (let head = await take(HEAD_BYTES); head !== undefined; head = await take(HEAD_BYTES)) {
      yield { number: head.readUInt32LE(0), bytes: (await take(head.readUInt32LE(4)))! };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    await rm(this.#folder, { recursive: true, force: true });
    waitingBytes -= this.#bytes;
    this.#bytes = 0;
  }

  #takeRoom(bytes: number): void {
    if (this.#bytes + bytes > MOST_BYTES) throw tooLarge(MOST_BYTES, "body of which all or nothing is done");
    if (waitingBytes + bytes > MOST_BYTES) {
      const message = "Other large bodies of which all or nothing is done are under way. Ask again later.";
      throw new HttpError("too_busy", message, { "retry-after": "5", connection: "close" });
    }
    this.#bytes += bytes;
    waitingBytes += bytes;
  }
}
