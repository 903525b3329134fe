import { statSync } from "node:fs";

import { isRegistryError, openRegistry, toVisible, type Registry } from "@cortex/model-db";
import { Hub, hubOptions, modelFolders, RateLimit, TransferWorker } from "@cortex/model-sources";
import type { HttpBindings } from "@hono/node-server";
import type { Logger } from "pino";

import { createApp, type App } from "../app.ts";
import type { GuardOptions } from "../guard/guard.ts";
import { isExposed } from "./exposure.ts";
import type { Settings } from "./settings.ts";

const LOOK_MS = 1000;
// A repair or a restore may be about to put another file in place.
const REOPEN_MS = 30_000;
const BUSY_TIMEOUT_MS = 10_000;

/**
 * The service over the registry that is at its place now. A repair puts another file there, and a file can be
 * away for a moment; what is there then is opened in turn, and a client meets a failure for a second. Settings
 * can be exchanged too.
 */
export class LiveApp {
  readonly #log: Logger;
  readonly #looking: NodeJS.Timeout;
  readonly #onLost: (error: unknown) => void;
  readonly #hub: Hub | undefined;
  readonly #rateLimit: RateLimit | undefined;
  #settings: Settings;
  #registry: Registry;
  #worker: TransferWorker | undefined;
  #closing = new AbortController();
  #app: App;
  #file: string | undefined;
  #missingSince: number | undefined;
  #reopening: Promise<void> | undefined;

  private constructor(
    settings: Settings,
    registry: Registry,
    hub: Hub | undefined,
    log: Logger,
    onLost: (error: unknown) => void,
  ) {
    this.#log = log;
    this.#onLost = onLost;
    this.#settings = settings;
    this.#registry = registry;
    this.#hub = hub;
    this.#rateLimit = settings.pullRate === undefined ? undefined : new RateLimit(settings.pullRate);
    this.#worker = this.#startWorker();
    this.#app = this.#createApp();
    this.#file = fileAt(settings.db);
    this.#looking = setInterval(() => this.#look(), LOOK_MS);
    this.#looking.unref();
  }

  /**
   * Opens the registry, or makes one.
   *
   * @param onLost is told, once, that the registry is gone for good.
   * @throws RegistryError as `openRegistry`.
   */
  static async open(settings: Settings, log: Logger, onLost: (error: unknown) => void): Promise<LiveApp> {
    const hub = settings.maxPulls === 0 ? undefined : await openHub(settings);
    return new LiveApp(settings, await open(settings), hub, log, onLost);
  }

  /** The registry as it is open now. */
  get registry(): Registry {
    return this.#registry;
  }

  fetch(request: Request, bindings: HttpBindings): Response | Promise<Response> {
    return this.#app.fetch(request, bindings);
  }

  /** That of the app as it is now. */
  get lane(): App["lane"] {
    return this.#app.lane;
  }

  /** Goes on with other settings; requests under way end with theirs, and event streams are taken up again. */
  apply(settings: Settings): void {
    const isSame =
      JSON.stringify(guardOptionsOf(settings)) === JSON.stringify(guardOptionsOf(this.#settings));
    this.#settings = settings;
    if (!isSame) this.#app = this.#createApp();
  }

  /** Ends the event streams, which would go on for ever. */
  endStreams(): void {
    this.#closing.abort();
  }

  async close(): Promise<void> {
    clearInterval(this.#looking);
    this.endStreams();
    await this.#reopening;
    await this.#worker?.end();
    await this.#hub?.[Symbol.asyncDispose]();
    await this.#registry.close();
  }

  #startWorker(): TransferWorker | undefined {
    if (this.#hub === undefined) return undefined;
    return new TransferWorker(this.#registry, {
      hub: this.#hub,
      rateLimit: this.#rateLimit,
      concurrency: this.#settings.maxPulls,
      onEnd: ({ transferId, modelId, state, errorMessage }) => {
        const fields = { transfer_id: transferId, model_id: modelId, state };
        if (state === "failed") this.#log.warn(fields, toVisible(`A transfer failed. ${errorMessage}`));
        else this.#log.info(fields, `A transfer is ${state}.`);
      },
      onError: (error) => this.#log.error({ err: error }, "A transfer met what nobody expected."),
    });
  }

  #createApp(): App {
    this.#closing.abort();
    this.#closing = new AbortController();
    return createApp(this.#registry, {
      ...guardOptionsOf(this.#settings),
      closing: this.#closing.signal,
      log: this.#log,
      sources: {
        hub: this.#hub,
        folders: () => modelFolders(process.env, this.#settings.db),
        importFolders: this.#settings.importFolder,
        wake: () => this.#worker?.wake(),
      },
    });
  }

  #look(): void {
    this.#reopening ??= this.#lookAgain().finally(() => {
      this.#reopening = undefined;
    });
  }

  async #lookAgain(): Promise<void> {
    const file = fileAt(this.#settings.db);
    if (file === this.#file && (await canBeRead(this.#registry))) {
      this.#missingSince = undefined;
      return;
    }
    this.#missingSince ??= Date.now();
    await this.#reopen(file, Date.now() - this.#missingSince > REOPEN_MS);
  }

  async #reopen(file: string | undefined, isLate: boolean): Promise<void> {
    const before = this.#registry;
    try {
      this.#registry = await openSound(this.#settings);
    } catch (error) {
      if (isLate || (isRegistryError(error) && !["not_found", "database_damaged"].includes(error.code))) {
        clearInterval(this.#looking);
        this.#onLost(error);
      }
      return;
    }
    const { db } = this.#settings;
    const what =
      file === this.#file ? `${db} was away and is back` : `Another file was put in the place of ${db}`;
    this.#file = file;
    this.#missingSince = undefined;
    const worker = this.#worker;
    this.#worker = this.#startWorker();
    this.#app = this.#createApp();
    this.#log.warn(toVisible(`${what}: it is served now.`));
    await worker?.end();
    // Event streams end with it and are taken up again by their clients.
    await before.close().catch((error: unknown) => this.#log.warn(toVisible((error as Error).message)));
  }
}

function guardOptionsOf(settings: Settings): GuardOptions {
  const { allowedHost, corsOrigin, trustProxy, requestsPerSecond, maxConcurrent, maxListeners } = settings;
  return {
    allowedHosts: allowedHost,
    corsOrigins: corsOrigin,
    trustProxy,
    requestsPerSecond,
    maxConcurrent,
    maxListeners,
    // The last user may go while it runs; then nobody gets in.
    requireToken: isExposed(settings),
  };
}

// Which hosts of private networks may be asked is said for the service alone, whatever the endpoint is.
async function openHub({ privateHost }: Settings): Promise<Hub> {
  return new Hub({ ...(await hubOptions(process.env)), privateHosts: privateHost });
}

async function open({ db }: Settings, mode: "create" | "write" = "create"): Promise<Registry> {
  return await openRegistry(db, { mode, actor: "http", busyTimeoutMs: BUSY_TIMEOUT_MS });
}

// A registry that met its file away once is lost for good, also when the file is back by now.
async function canBeRead(registry: Registry): Promise<boolean> {
  try {
    await registry.stateMark();
    return true;
  } catch (error) {
    return !isRegistryError(error) || error.code !== "database_damaged";
  }
}

// Opening alone does not tell whether what is there can be read.
async function openSound(settings: Settings): Promise<Registry> {
  const registry = await open(settings, "write");
  try {
    await registry.stateMark();
  } catch (error) {
    await registry.close();
    throw error;
  }
  return registry;
}

function fileAt(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}`;
}
