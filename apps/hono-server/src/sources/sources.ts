import {
  RegistryError,
  type GuardedRegistry,
  type Model,
  type Registry,
  type Transfer,
} from "@cortex/model-db";
import {
  cancelTransfer,
  importModels,
  requestPull,
  type Hub,
  type ImportResult,
  type ModelsFolder,
  type PullOptions,
} from "@cortex/model-sources";

/** What the service brings models in with. */
export interface SourcesOptions {
  /** What fetches models, which of private networks asks its `privateHosts` only; `undefined`: none are fetched. */
  readonly hub: Hub | undefined;
  /** The folders that models lie in, as they are now. */
  readonly folders: () => Promise<readonly ModelsFolder[]>;
  /** Absolute paths of folders: what lies in them may be imported. */
  readonly importFolders: readonly string[];
  /** Is told that there is something to fetch, which a `TransferWorker` does. */
  readonly wake: () => void;
}

/** How models come into the registry through the service. */
export class Sources {
  readonly #registry: Registry;
  readonly #options: SourcesOptions | undefined;

  constructor(registry: Registry, options: SourcesOptions | undefined) {
    this.#registry = registry;
    this.#options = options;
  }

  /**
   * Asks for a model to be fetched.
   *
   * @returns the job, which is joined where there is one already; or the model, where nothing is to be fetched.
   * @throws RegistryError `permission_denied` where this service, or the caller, fetches nothing; as `requestPull`.
   */
  async request(
    caller: GuardedRegistry,
    reference: string,
    wishes: Pick<PullOptions, "alias" | "private" | "signal">,
  ): Promise<{ transfer: Transfer; isNew: boolean } | { model: Model }> {
    if (this.#options?.hub === undefined) {
      throw new RegistryError("permission_denied", "This service fetches no models.");
    }
    // Whoever may fetch nothing has no hub asked either.
    caller.checkAny("run", "Fetching models");
    const { hub, folders, wake } = this.#options;
    const asked = await requestPull(caller, reference, { ...wishes, hub, folders: await folders() });
    wake();
    return asked;
  }

  /** Lets a transfer that rests go on. @throws RegistryError as `transfers.resume`. */
  async resume(caller: GuardedRegistry, transferId: number): Promise<Transfer> {
    const transfer = await caller.transfers.resume(transferId);
    this.#options?.wake();
    return transfer;
  }

  /** Gives a transfer up, and deletes what it has written. @throws RegistryError as `transfers.cancel`. */
  async cancel(caller: GuardedRegistry, transferId: number): Promise<Transfer> {
    return cancelTransfer(this.#registry, transferId, caller.transfers);
  }

  /**
   * Imports what lies at a path, where it is.
   *
   * @throws RegistryError `permission_denied` outside of the folders that the operator allows, and to whoever may
   *   register nothing; as `importModels`.
   */
  async import(
    caller: GuardedRegistry,
    path: string,
    model: { modelId?: string | undefined; alias?: string | undefined },
    signal: AbortSignal,
  ): Promise<ImportResult[]> {
    const within = this.#options?.importFolders ?? [];
    if (within.length === 0) {
      throw new RegistryError(
        "permission_denied",
        "This service imports no files: its operator allows folders with --import-folder.",
      );
    }
    // A file is read before it is known which model it is.
    caller.checkAny("change", "Importing models");
    return importModels(caller, {
      paths: [path],
      within,
      location: this.#registry.location,
      model,
      signal,
    });
  }
}
