import { lstat, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import {
  isRegistryError,
  RegistryError,
  toVisible,
  type ClaimedTransfer,
  type ErrorCode,
  type Registry,
  type Transfer,
  type TransferFile,
  type TransferState,
} from "@cortex/model-db";

import { ContentHash } from "../download/content-hash.ts";
import { downloadFile } from "../download/download-file.ts";
import { JOURNAL_SUFFIX, PARTIAL_SUFFIX } from "../download/partial-file.ts";
import type { RateLimit } from "../download/rate-limit.ts";
import { syncFolder } from "../folders/durable-folder.ts";
import type { ModelsFolder } from "../folders/models-folder.ts";
import { placeInFolder } from "../folders/place-in-folder.ts";
import type { Hub } from "../hub/hub.ts";
import { deleteWritten, isUnfinished, NEXT_SUFFIX } from "./delete-written.ts";
import { describeFetched, type FetchedFile } from "./describe-fetched.ts";
import { Speedometer, toProgress, type TransferProgress } from "./progress.ts";

export interface WorkOptions {
  readonly hub: Hub;
  /** How many ranges of a file are fetched at a time, from 1. */
  readonly connections?: number | undefined;
  /** Shared with all that it limits. */
  readonly rateLimit?: RateLimit | undefined;
  /** Ends the work: the transfer goes back into the queue, and whoever takes it up goes on where it was. */
  readonly signal?: AbortSignal | undefined;
  /** Told ten times a second at most. */
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
}

// How soon the worker sees that somebody wants it to stop, and how often it tells how far it is.
const LOOK_MS = 300;
const REPORT_MS = 1000;
const PROGRESS_MS = 100;
// After that somebody else may have taken the transfer up.
const CLAIM_MS = 5000;

/** A file that was fetched: where it is to be, and where it is until all are there. */
interface FetchedPlace {
  readonly file: TransferFile;
  readonly place: string;
  readonly at: string;
  /** Whether it was fetched, now or before, and not put there by somebody else. */
  readonly isOurs: boolean;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Why work stops before its end, other than by a failure. */
class Stopped extends Error {
  readonly state: TransferState | "lost" | "ended";

  constructor(state: TransferState | "lost" | "ended") {
    super(`The work stops: ${state}.`);
    this.state = state;
  }
}

/**
 * Does the work of a transfer that was claimed: fetches its files, verifies each, and registers the model. It
 * stops when somebody pauses or cancels the transfer, of which it then deletes what it has written.
 *
 * @param registry the registry itself.
 * @returns the transfer as it is afterwards: `done`, or why not.
 * @throws what is no expected failure; the transfer has failed then, too.
 */
export async function runTransfer(
  registry: Registry,
  claimed: ClaimedTransfer,
  options: WorkOptions,
): Promise<Transfer> {
  return new TransferRun(registry, claimed, options).run();
}

class TransferRun {
  readonly #registry: Registry;
  readonly #claim: ClaimedTransfer;
  readonly #options: WorkOptions;
  readonly #folder: ModelsFolder;
  readonly #files: Map<string, { doneBytes: number; isOurs: boolean }>;
  readonly #stop = new AbortController();
  readonly #over = new AbortController();
  readonly #speedometer = new Speedometer();
  #toldAt = 0;

  constructor(registry: Registry, claimed: ClaimedTransfer, options: WorkOptions) {
    const { folder, files } = claimed.transfer;
    this.#registry = registry;
    this.#claim = claimed;
    this.#options = options;
    this.#folder = { path: folder, isWritable: true };
    this.#files = new Map(files.map(({ path, doneBytes, isOurs }) => [path, { doneBytes, isOurs }]));
  }

  async run(): Promise<Transfer> {
    const { signal } = this.#options;
    const end = (): void => this.#stop.abort(new Stopped("ended"));
    if (signal?.aborted === true) end();
    signal?.addEventListener("abort", end);
    const keeping = this.#keepClaim();
    try {
      const fetched = await this.#fetchAll();
      const model = await describeFetched(this.#registry, this.#claim.transfer, fetched);
      this.#stop.signal.throwIfAborted();
      return await this.#registry.transferWork.finish(this.#claim, model, this.#progress());
    } catch (error) {
      return await this.#giveUp(this.#stop.signal.aborted ? this.#stop.signal.reason : error);
    } finally {
      signal?.removeEventListener("abort", end);
      this.#over.abort();
      await keeping;
    }
  }

  async #fetchAll(): Promise<FetchedFile[]> {
    const fetched: FetchedPlace[] = [];
    for (const file of this.#claim.transfer.files) fetched.push(await this.#fetch(file));
    // All are there and verified: what they replace can go.
    for (const { at, place } of fetched) {
      if (at === place) continue;
      await rename(at, place);
      await syncFolder(dirname(place));
    }
    return fetched.map(({ file, place, isOurs, sha256, sizeBytes }) => {
      return { file, path: place, isOurs, sha256, sizeBytes };
    });
  }

  /** Fetches a file, unless it is here. @returns where it is to be, and where it is. */
  async #fetch(file: TransferFile): Promise<FetchedPlace> {
    this.#stop.signal.throwIfAborted();
    const place = await placeInFolder(this.#folder, file.path);
    const state = this.#files.get(file.path)!;
    const isThere = (await lstat(place).catch(() => undefined)) !== undefined;
    // Said before anything is written: whoever cancels it later knows what may be deleted.
    const isOurs = isThere ? state.isOurs && !(await isUnfinished(place)) : true;
    if (state.isOurs !== isOurs) {
      if (!isThere) await checkPartial(place);
      state.isOurs = isOurs;
      await this.#report();
    }
    try {
      const downloaded = await this.#download(file, file.path);
      return { file, place, isOurs: isOurs || (await this.#isFetched(place)), ...downloaded };
    } catch (error) {
      // Nothing is left of it: what comes to its place now is somebody else's.
      if (!isThere) state.isOurs = await isUnfinished(place);
      if (!isThere || !isRegistryError(error) || error.code !== "name_taken") throw error;
      if (!isOurs) {
        if (!(await this.#isModels(place))) throw error;
        const next = await this.#download(file, `${file.path}${NEXT_SUFFIX}`);
        return { file, place, isOurs: true, ...next };
      }
      const whole = await wholeByItsSize(place, file);
      if (whole !== undefined) return { file, place, isOurs, at: place, ...whole };
      await rm(place);
      return { file, place, isOurs, ...(await this.#download(file, file.path)) };
    }
  }

  async #download(
    file: TransferFile,
    path: string,
  ): Promise<{ at: string; sha256: string; sizeBytes: number }> {
    const { hub, connections, rateLimit } = this.#options;
    const downloaded = await downloadFile({
      file: { ...file, sizeBytes: file.sizeBytes! },
      folder: this.#folder,
      path,
      http: hub.http,
      connections,
      rateLimit,
      signal: this.#stop.signal,
      onProgress: ({ receivedBytes }) => this.#tell(file, receivedBytes),
    });
    const { path: at, sha256, sizeBytes } = downloaded;
    this.#tell(file, sizeBytes);
    return { at, sha256, sizeBytes };
  }

  /** Whether a file that is there was fetched for some model. */
  async #isFetched(place: string): Promise<boolean> {
    const recorded = await this.#registry.files.listAt([place]);
    return recorded.some(({ source }) => source !== null);
  }

  /**
   * Whether a file that is in the way is an older state of the same model that was fetched, too.
   *
   * @throws RegistryError `name_taken` where another model has it as well, which would be another one then.
   */
  async #isModels(place: string): Promise<boolean> {
    const { modelId } = this.#claim.transfer;
    const recorded = await this.#registry.files.listAt([place]);
    if (!recorded.some((file) => file.modelId === modelId && file.source !== null)) return false;
    const other = recorded.find((file) => file.modelId !== modelId);
    if (other === undefined) return true;
    throw new RegistryError(
      "name_taken",
      `${toVisible(place)} is also a file of ${toVisible(other.modelId)}, which needs it as it is. Pull the newer state by its commit (org/repo@commit), or remove that model first: cortex rm.`,
    );
  }

  #tell(file: TransferFile, doneBytes: number): void {
    this.#files.get(file.path)!.doneBytes = doneBytes;
    const { onProgress } = this.#options;
    const now = performance.now();
    if (onProgress === undefined || now - this.#toldAt < PROGRESS_MS) return;
    this.#toldAt = now;
    onProgress(
      toProgress(this.#claim.transfer, (path) => this.#files.get(path)!.doneBytes, this.#speedometer),
    );
  }

  /** Renews the claim until the work is over, and stops the work when somebody wants that. */
  async #keepClaim(): Promise<void> {
    const { transferId } = this.#claim;
    for (let reportedAt = performance.now(); ;) {
      const isOver = await sleep(LOOK_MS, false, { signal: this.#over.signal }).catch(() => true);
      if (isOver || this.#stop.signal.aborted) return;
      try {
        const isDue = performance.now() - reportedAt >= REPORT_MS;
        const { state } = await (isDue ? this.#report() : this.#registry.transfers.get(transferId));
        if (isDue) reportedAt = performance.now();
        if (state !== "running") this.#stop.abort(new Stopped(state));
      } catch (error) {
        if (!isRegistryError(error)) this.#stop.abort(error);
        // A registry that cannot be used for a moment is no reason to stop.
        else if (
          error.code === "lease_lost" ||
          error.code === "not_found" ||
          performance.now() - reportedAt > CLAIM_MS
        ) {
          this.#stop.abort(new Stopped("lost"));
        }
      }
    }
  }

  async #report(): Promise<Transfer> {
    return this.#registry.transferWork.report(this.#claim, this.#progress());
  }

  #progress(): { path: string; doneBytes: number; isOurs: boolean }[] {
    return Array.from(this.#files, ([path, state]) => ({ path, ...state }));
  }

  async #giveUp(reason: unknown): Promise<Transfer> {
    const { transfers, transferWork } = this.#registry;
    const { transferId } = this.#claim;
    this.#over.abort();
    try {
      if (reason instanceof Stopped) {
        if (reason.state === "lost") return await transfers.get(transferId);
        if (reason.state !== "cancelled") return await transferWork.release(this.#claim, this.#progress());
        return await deleteCancelled(this.#registry, {
          ...this.#claim,
          transfer: await this.#report(),
        });
      }
      const failure = toFailure(reason);
      const failed = await transferWork.fail(this.#claim, failure, this.#progress());
      if (failed.state === "cancelled") {
        const claimed = await transferWork.claimCancelled(transferId);
        if (claimed !== undefined) return await deleteCancelled(this.#registry, claimed);
      }
      if (failure.code === "internal_error") throw reason;
      return failed;
    } catch (error) {
      if (isRegistryError(error) && error.code === "lease_lost") return transfers.get(transferId);
      throw error;
    }
  }
}

/**
 * Deletes what a cancelled transfer has written, and gives the claim on it back.
 *
 * @throws RegistryError `lease_lost`.
 */
export async function deleteCancelled(
  registry: Registry,
  { transfer, ...claim }: ClaimedTransfer,
): Promise<Transfer> {
  await deleteWritten(registry, transfer);
  const nothing = transfer.files.map(({ path }) => ({ path, doneBytes: 0, isOurs: false }));
  return registry.transferWork.release(claim, nothing);
}

/** @throws RegistryError `name_taken` where what is called as a partial file would be is none of ours. */
async function checkPartial(place: string): Promise<void> {
  const [partial, journal] = await Promise.all(
    [PARTIAL_SUFFIX, JOURNAL_SUFFIX].map((suffix) => lstat(`${place}${suffix}`).catch(() => undefined)),
  );
  // Ours have a journal as soon as there is something in them.
  if (partial?.isFile() !== true || partial.blocks === 0 || journal !== undefined) return;
  throw new RegistryError(
    "name_taken",
    `${toVisible(`${place}${PARTIAL_SUFFIX}`)} would be overwritten, and it is not known what it is. Move it away, and pull again.`,
  );
}

/** What a source gives no hash of is known by having been fetched to its end. */
async function wholeByItsSize(
  place: string,
  { sha256, gitSha1, sizeBytes }: TransferFile,
): Promise<{ sha256: string; sizeBytes: number } | undefined> {
  if (sha256 !== null || gitSha1 !== null || sizeBytes === null) return undefined;
  await using handle = await open(place, "r");
  if ((await handle.stat()).size !== sizeBytes) return undefined;
  await using hash = new ContentHash(handle.fd, sizeBytes);
  hash.advance(sizeBytes);
  return { sha256: (await hash.hashes()).sha256, sizeBytes };
}

const SYSTEM_ERRORS: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: "disk_full",
  EDQUOT: "disk_full",
  EACCES: "permission_denied",
  EPERM: "permission_denied",
  EROFS: "read_only",
  EIO: "io_error",
};

function toFailure(error: unknown): { code: ErrorCode | "internal_error"; message: string } {
  if (isRegistryError(error)) return { code: error.code, message: error.message };
  const { code = "", message } = error as NodeJS.ErrnoException;
  return { code: SYSTEM_ERRORS[code] ?? "internal_error", message: message ?? String(error) };
}
