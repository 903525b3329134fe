import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";

const HEADER_BYTES = 24;
const FRAME_BYTES = HEADER_BYTES + 4096;
const LOG_FRAMES = 1000;

/**
 * What a durable commit cannot do without: some frames written over a log that is there, in as many
 * calls as SQLite makes, and one wait.
 */
export class SyncFloor {
  readonly #file: number;
  readonly #frame = Buffer.alloc(FRAME_BYTES, 7);
  #position = 0;

  constructor(path: string) {
    this.#file = openSync(path, "w");
    for (let frame = 0; frame < LOG_FRAMES; frame++) writeSync(this.#file, this.#frame);
    fdatasyncSync(this.#file);
  }

  commit(frames: number): void {
    for (let frame = 0; frame < frames; frame++) {
      const start = this.#position * FRAME_BYTES;
      writeSync(this.#file, this.#frame, 0, HEADER_BYTES, start);
      writeSync(this.#file, this.#frame, HEADER_BYTES, FRAME_BYTES - HEADER_BYTES, start + HEADER_BYTES);
      this.#position = (this.#position + 1) % LOG_FRAMES;
    }
    fdatasyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}
