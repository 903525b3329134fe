import type { ReadEngine } from "./database/engine.ts";
import { openSqliteReader } from "./database/sqlite/sqlite-reader.ts";
import { ModelReader } from "./repositories/model-reader.ts";

// As long as `openRegistry` waits where it is not told.
const BUSY_TIMEOUT_MS = 5000;

/**
 * Opens a registry that exists, to read its models and nothing else: for programs that start, read and end.
 * What else a registry can do takes longer to load than a list to read.
 *
 * @param location the path of the registry's file.
 * @throws RegistryError as {@link openRegistry} does with the mode `read`.
 * @example
 * ```ts
 * await (await openRegistry("registry.db")).close();
 * await using reader = await openReader("registry.db");
 * const { items } = await reader.models.list({ limit: 10 });
 * ```
 */
export async function openReader(location: string): Promise<RegistryReader> {
  return new RegistryReader(await openSqliteReader(location, BUSY_TIMEOUT_MS));
}

/** The models of an open registry; made by {@link openReader}. Close it, or declare it with `await using`. */
export class RegistryReader implements AsyncDisposable {
  readonly models: ModelReader;
  readonly #engine: ReadEngine;

  /** @internal */
  constructor(engine: ReadEngine) {
    this.#engine = engine;
    this.models = new ModelReader({
      // Opened when it is first asked for.
      get reader() {
        return engine.reader;
      },
      now: () => engine.now(),
      access: undefined,
    });
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#engine.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
