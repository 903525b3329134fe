import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { RegistryError, type Registry } from "@cortex/model-db";

import { HttpError } from "./errors.ts";

// How long an answer holds: whoever asks more often costs nothing.
const HOLDS_MS = 1000;
const PATIENCE_MS = 1000;
// What a write-ahead log needs for a change of some size.
const ROOM_BYTES = 1024 * 1024;

/** Whether a service can do its work: whether its registry can be read and written now. */
export class Readiness {
  readonly #registry: Registry;
  readonly #closing: AbortSignal | undefined;
  #checked: Promise<void> | undefined;
  #holdsUntil = 0;

  constructor(registry: Registry, closing: AbortSignal | undefined) {
    this.#registry = registry;
    this.#closing = closing;
  }

  /**
   * Passes when it is ready; it was looked at most a second ago.
   *
   * @throws HttpError `shutting_down`.
   * @throws RegistryError for what is wrong: `database_damaged`, `database_busy`, `read_only`, `disk_full`, ….
   */
  async check(): Promise<void> {
    if (this.#closing?.aborted === true) throw shuttingDown();
    if (this.#checked === undefined || performance.now() >= this.#holdsUntil) {
      this.#holdsUntil = Infinity;
      this.#checked = this.#look().finally(() => {
        this.#holdsUntil = performance.now() + HOLDS_MS;
      });
      // Whoever asked is told; nobody else has to be.
      this.#checked.catch(() => undefined);
    }
    await Promise.race([this.#checked, this.#tooLong()]);
  }

  async #look(): Promise<void> {
    const { location, models } = this.#registry;
    await this.#registry.stateMark();
    await models.list({ limit: 1 });
    const { bavail, bsize } = await statfs(dirname(location)).catch(() => {
      throw new RegistryError("io_error", `The folder of ${location} cannot be looked at.`);
    });
    // Takes the lock for writing, and gives it up without a change.
    await this.#registry.rehearse(async () => undefined);
    if (bavail * bsize < ROOM_BYTES) throw new RegistryError("disk_full", `The disk of ${location} is full.`);
  }

  async #tooLong(): Promise<never> {
    await sleep(PATIENCE_MS, undefined, { ref: false });
    throw new RegistryError(
      "database_busy",
      `${this.#registry.location} could not be written for ${PATIENCE_MS} ms.`,
    );
  }
}

/** What is answered by a service that is about to end. */
export function shuttingDown(): HttpError {
  return new HttpError("shutting_down", "The service is closing. Come back in a moment.", {
    "retry-after": "1",
  });
}
