import { existsSync, readdirSync, realpathSync, rmSync, watch } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import {
  defaultRegistryLocation,
  isRegistryError,
  MODEL_STATUS,
  openRegistry,
  type Model,
  type Registry,
} from "@cortex/model-db";
import { makeFolder, syncPath, writeDurably } from "@cortex/model-db/durable-files";
import { lockFile } from "@cortex/model-db/file-lock";

import { createBackup, finishBackup } from "../backup.ts";
import { freeName } from "../free-name.ts";
import { resolveLegacyPath } from "../legacy/config-path.ts";
import { findDataFolder } from "../legacy/data-folder.ts";
import { Disk } from "../legacy/disk.ts";
import { LegacyStoreError } from "../legacy/legacy-store-error.ts";
import { MisuseError } from "../misuse-error.ts";
import { reasonOf } from "../reason-of.ts";
import { applyMerge, LEGACY_ACTOR, type AppliedMerge } from "./apply-merge.ts";
import { BaseStore } from "./base-store.ts";
import { conflictEvent, type BridgeCounts, type BridgeEvent } from "./bridge-event.ts";
import type { Base } from "./choose-base.ts";
import { layOut } from "./lay-out.ts";
import { ListFile, type ForeignContent } from "./list-file.ts";
import { formatRow, parseRow, UNKNOWN_WORD, type ListRow } from "./list-row.ts";
import { readListText, type ListText, type NumberedLine } from "./list-text.ts";
import { mergeLists, rebase, type ConfigState, type Merge } from "./merge-lists.ts";
import { readRegisteredModels } from "./registered-models.ts";

/** What to keep in step, and how. */
export interface BridgeOptions {
  /** The text file, or a data folder with one. */
  readonly list: string;
  /** The registry's file; the one that programs of this user share, when left out. */
  readonly to?: string | undefined;
  /** Leave once both sides agree. */
  readonly once?: boolean;
  /** Ends the bridge: what is under way is finished. */
  readonly signal: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  readonly onEvent: (event: BridgeEvent) => void;
}

// A write of the old program is many small ones: it is over when nothing has come for this long.
const QUIET_MS = 150;
// The old program writes 10,000 lines in some 20 ms. A file in which something is missing is believed
// only when it has been so for far longer than a slow disk or a busy machine holds a write up.
const SETTLED_MS = 1000;
// A file that never comes to rest is merged all the same, when it looks whole, and in the end in any case.
const RESTLESS_MS = 3000;
const NEVER_WHOLE_MS = 10_000;
// Events tell of a change; looking now and then finds those that a network's disk does not tell of.
const POLL_MS = 250;
const UNSETTLED_POLL_MS = 40;
const RUNNING_POLL_MS = 1000;
// Between two writes of ours: a burst of changes is one.
const WRITE_EVERY_MS = 200;
const LATE_WRITE_MS = 250;
const MAX_SET_ASIDE = 20;
const MAX_NAMED = 5;

/**
 * Keeps a `model.list` and a registry in step, both ways, until it is told to stop.
 *
 * @throws LegacyStoreError, RegistryError, MisuseError.
 */
export async function bridge(options: BridgeOptions): Promise<BridgeCounts> {
  const { env = process.env } = options;
  const { list, dataFolder } = findList(options.list, env);
  const location = resolve(options.to ?? defaultRegistryLocation(env));
  if (existsSync(location) && realpathSync(location) === list) {
    throw new MisuseError(`${list} is the list itself: name the registry with --to.`);
  }
  // What a bridge keeps for itself, beside the file.
  const folder = `${list}.bridge`;
  makeFolder(folder);
  using _ = lockFile(
    join(folder, "lock"),
    (holder) => `Another bridge (${holder}) keeps ${list} already. One at a time: stop that one first.`,
  );
  makeFolder(dirname(location));
  await using registry = await openRegistry(location, { actor: LEGACY_ACTOR });
  using file = new ListFile(list);
  const running = new Bridge(options, { list, dataFolder, folder, registry, file });
  return await running.run();
}

/** The text store of a data folder; the path leads through no link, because a rename would replace that. */
function findList(given: string, env: NodeJS.ProcessEnv): { list: string; dataFolder: string } {
  const path = resolve(given);
  // Between two moments of an interrupted restoration there may be no file; its folder knows it.
  if (!existsSync(path) && existsSync(`${path}.bridge`)) {
    const real = join(realpathSync(dirname(path)), basename(path));
    return {
      list: real,
      dataFolder: basename(dirname(real)) === "models" ? dirname(dirname(real)) : dirname(real),
    };
  }
  const { path: dataFolder, databases, lists } = findDataFolder(path, env);
  const [list] = lists;
  if (list === undefined) {
    throw new LegacyStoreError(
      "not_a_store",
      databases.length > 0
        ? `${given} is the old program's database, or has nothing else: a bridge is for a model.list. cortex-migrate moves a cortex.db.`
        : `${given} has no model.list.`,
    );
  }
  return { list: realpathSync(list), dataFolder };
}

interface Ends {
  readonly list: string;
  readonly dataFolder: string;
  readonly folder: string;
  readonly registry: Registry;
  readonly file: ListFile;
}

class Bridge {
  readonly #options: BridgeOptions;
  readonly #ends: Ends;
  #bases!: BaseStore;
  /** The ids of the file's lines, in their order. */
  #order: readonly string[] = [];
  /** Ids whose lines are gone and may be deleted: they are not written back meanwhile. */
  #pending: readonly string[] = [];
  readonly #missingSince = new Map<string, number>();
  /** What was tried to be taken over from a file that is still being written. */
  readonly #tried = new Set<string>();
  #isDirty = true;
  #unsettledSince: number | undefined;
  #writtenAt = -Infinity;
  #readAt = -Infinity;
  #failure: unknown;
  #runsSomething = false;
  #reportedMissing = false;
  #waitingFor = "";
  readonly #leftOut = new Map<string, string>();
  readonly #counts = {
    created: 0,
    updated: 0,
    deleted: 0,
    conflicts: 0,
    kept: 0,
    refused: 0,
    written: 0,
    set_aside: 0,
  };
  #wake = (): void => undefined;

  constructor(options: BridgeOptions, ends: Ends) {
    this.#options = options;
    this.#ends = ends;
  }

  async run(): Promise<BridgeCounts> {
    const { signal, once = false } = this.#options;
    const { list, folder, registry } = this.#ends;
    const latest = await registry.history.latestEventId();
    this.#bases = new BaseStore(folder, registry.registryId, latest);
    const { preparedAfter } = this.#bases;
    // A bridge that was killed may have come to the end of its last merge, or not.
    if (preparedAfter !== undefined && (await hasMergedAfter(registry, preparedAfter))) this.#bases.commit();
    this.#order = this.#bases.newest?.rows.map(({ modelId }) => modelId) ?? [];
    // Their first meeting is a migration, and can be taken back as one.
    if (this.#bases.newest === undefined) finishBackup(createBackup(registry.location, [list]));
    this.#emit({ kind: "started", list, registry: registry.location, once });

    const ending = new AbortController();
    const following = this.#follow(latest, AbortSignal.any([signal, ending.signal])).catch(
      (error: unknown) => {
        this.#failure = error;
        this.#wake();
      },
    );
    const watcher = this.#watch();
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    try {
      for (;;) {
        const isIdle = await this.#step();
        if (this.#failure !== undefined) throw this.#failure;
        if (signal.aborted || (once && isIdle)) break;
        await this.#rest(isIdle);
      }
      if (!this.#isDirty && this.#unsettledSince === undefined && this.#pending.length === 0) {
        this.#bases.settle();
      }
    } finally {
      ending.abort();
      watcher?.close();
      await following;
    }
    this.#emit({ kind: "stopped", ...this.#counts });
    return this.#counts;
  }

  /** One look at both sides, and what follows from it. @returns whether there is nothing left to do. */
  async #step(): Promise<boolean> {
    try {
      const isIdle = await this.#look();
      this.#waitingFor = "";
      return isIdle;
    } catch (error) {
      const why = passing(error);
      if (why === undefined) throw error;
      if (why !== this.#waitingFor) this.#emit({ kind: "waiting", why });
      this.#waitingFor = why;
      this.#isDirty = true;
      await sleep(SETTLED_MS / 2);
      return false;
    }
  }

  async #look(): Promise<boolean> {
    const { file } = this.#ends;
    const now = performance.now();
    const late = file.lookAtReplaced();
    const isLateDone =
      typeof late === "string" || !("bytes" in late) ? late === "same" : await this.#merge(late);
    const look = file.look();
    if (look === "moving") {
      this.#unsettledSince ??= now;
      return false;
    }
    if (typeof look === "object" && "missingSince" in look) {
      if (now - look.missingSince < SETTLED_MS) return false;
      if (!this.#reportedMissing) this.#emit({ kind: "missing" });
      this.#reportedMissing = true;
      this.#isDirty = true;
    } else if (look !== "same") {
      if (!(await this.#merge(look))) return false;
    }
    this.#unsettledSince = undefined;
    if (!isLateDone) return false;
    if (this.#isDirty && (now - this.#writtenAt >= WRITE_EVERY_MS || this.#options.signal.aborted)) {
      await this.#write();
    } else if (!this.#isDirty && this.#pending.length > 0) {
      // A file that never came to rest was merged before they had been missing for long: it is asked again.
      file.doubt();
    }
    // Who opened the file just before ours took its place is about to write now.
    return !this.#isDirty && this.#pending.length === 0 && file.replacedMs > LATE_WRITE_MS;
  }

  /** Merges what another program wrote, once it is complete. @returns whether it was. */
  async #merge(content: ForeignContent): Promise<boolean> {
    const { list, dataFolder, registry, file } = this.#ends;
    const now = content.seenAt;
    this.#unsettledSince ??= now;
    const theirs = readListText(content.bytes);
    const { lateBases } = content;
    const input = {
      bases: lateBases ?? this.#bases.all,
      theirs,
      isReplaced: content.isReplaced,
      configOf,
      missing: new Set(lateBases === undefined ? this.#missingSince.keys() : []),
      isSettled: (modelId: string): boolean => {
        const since = lateBases === undefined ? this.#missingSince.get(modelId) : content.since;
        return since !== undefined && now - since >= SETTLED_MS;
      },
    };
    const looked = mergeLists({ ...input, ours: await readRegisteredModels(registry.models) });
    if (lateBases === undefined) this.#noteMissing(looked, content);
    // Whole lines are taken over while the rest is still being written: what then becomes of them is known.
    // Not one without its YAML, which the old program writes before the line, and removes before it.
    const early = input.bases.length === 0 ? looked.additions : withConfig(looked.additions, dataFolder);
    const isCredible = looked.distrust === undefined && early.length === looked.additions.length;
    const isSure = isCredible && looked.kept.length + looked.pending.length + looked.deletions.length === 0;
    const quietMs = now - content.since;
    const restlessMs = now - this.#unsettledSince;
    const isLast = quietMs >= SETTLED_MS || restlessMs >= NEVER_WHOLE_MS;
    const isComplete = isLast || (isSure && quietMs >= QUIET_MS) || (isCredible && restlessMs >= RESTLESS_MS);
    const wishes = [
      ...(isComplete ? looked.additions : early).map(({ text }) => text),
      ...looked.updates.map(({ modelId, fields }) => `${modelId} ${JSON.stringify(fields)}`),
      ...looked.deletions.map(({ modelId }) => `${modelId} is gone`),
    ];
    const isNew = input.bases.length > 0 && wishes.some((wish) => !this.#tried.has(wish));
    if (!isComplete && !isNew) return false;

    const origin = { list, dataFolder, modifiedAt: content.modifiedAt };
    const isNeeded = wishes.length > 0;
    // A YAML may have gone since: then what the file says is old, and it is looked at again.
    let isAll = true;
    const choose = (additions: readonly NumberedLine[]): readonly NumberedLine[] => {
      if (isLast || input.bases.length === 0) return additions;
      const chosen = withConfig(additions, dataFolder);
      isAll = chosen.length === additions.length;
      return chosen;
    };
    const applied: AppliedMerge = isNeeded
      ? await applyMerge(registry, input, choose, origin, (done, latestEventId) => {
          // What was written too late nobody else has seen: for the others it is a change of ours.
          const change = (bases: readonly Base[]): readonly Base[] =>
            lateBases === undefined ? withTaken(bases, theirs, done) : bases;
          this.#bases.prepare(change, latestEventId);
        })
      : { merge: looked, deleted: [], updated: [], entries: [], conflicts: looked.conflicts };
    this.#isDirty = true;
    if (isNeeded) this.#bases.commit();
    this.#reportChanges(applied);
    if (!isComplete || !isAll) {
      for (const wish of wishes) this.#tried.add(wish);
      return false;
    }
    // What cannot be set aside now is not taken for known, and is tried again.
    this.#reportRefusals(content, applied);
    file.accept(content);
    this.#tried.clear();
    this.#unsettledSince = undefined;
    if (lateBases === undefined) {
      this.#order = applied.merge.order;
      this.#pending = applied.merge.pending;
    }
    return true;
  }

  #reportChanges({ deleted, updated, entries }: AppliedMerge): void {
    for (const entry of entries) if (entry.outcome !== "refused") this.#report({ kind: "line", ...entry });
    for (const { modelId, fields } of updated) {
      this.#report({ kind: "updated", model_id: modelId, fields: inData(fields) });
    }
    for (const modelId of deleted) {
      this.#missingSince.delete(modelId);
      this.#report({ kind: "deleted", model_id: modelId });
    }
  }

  #reportRefusals({ bytes }: ForeignContent, { merge, entries, conflicts }: AppliedMerge): void {
    const refused = entries.filter(({ outcome, code }) => outcome === "refused" && code !== "blank_line");
    const why = merge.distrust ?? (refused.length > 0 ? "it has lines that cannot be taken over" : undefined);
    const path = why === undefined || bytes.length === 0 ? undefined : this.#setAside(bytes);
    for (const conflict of conflicts) this.#report(conflictEvent(conflict));
    for (const entry of refused) this.#report({ kind: "line", ...entry });
    if (why !== undefined && path !== undefined) this.#report({ kind: "set_aside", path, why });
    if (merge.kept.length > 0) {
      this.#report({
        kind: "kept",
        count: merge.kept.length,
        model_ids: merge.kept.slice(0, MAX_NAMED),
        why: merge.distrust ?? "nothing says that they were deleted",
      });
    }
  }

  // Since when each line is missing that would be deleted; a file that is torn says nothing new.
  #noteMissing({ pending, deletions, kept }: Merge, { since }: ForeignContent): void {
    const ids = new Set([...pending, ...deletions.map(({ modelId }) => modelId)]);
    const gone = new Set([...ids, ...kept]);
    for (const modelId of this.#missingSince.keys())
      if (!gone.has(modelId)) this.#missingSince.delete(modelId);
    for (const modelId of ids) if (!this.#missingSince.has(modelId)) this.#missingSince.set(modelId, since);
  }

  /** Writes what the registry holds now, where the file does not hold that already. */
  async #write(): Promise<void> {
    const { registry, file } = this.#ends;
    this.#isDirty = false;
    this.#readAt = performance.now();
    const eventId = await registry.history.latestEventId();
    const ours = await readRegisteredModels(registry.models);
    const { rows, leftOut } = layOut(ours, this.#order);
    this.#runsSomething = ours.all.some(({ status }) => status === MODEL_STATUS.RUNNING);
    const pending = new Set(this.#pending);
    const written = rows.filter(({ modelId }) => !pending.has(modelId));
    const bytes = Buffer.from(written.map((row) => `${formatRow(row)}\n`).join(""));
    const isThere = file.holds(bytes);
    const before = this.#bases.all;
    if (!isThere || !isSameRows(rows, this.#bases.newest?.rows)) this.#bases.add({ rows, eventId });
    for (const [modelId, why] of leftOut) {
      if (this.#leftOut.get(modelId) !== why) this.#emit({ kind: "left_out", model_id: modelId, why });
      this.#leftOut.set(modelId, why);
    }
    this.#order = rows.map(({ modelId }) => modelId);
    if (isThere) return;
    if (!file.replace(bytes, before)) {
      this.#isDirty = true;
      return;
    }
    this.#reportedMissing = false;
    this.#writtenAt = performance.now();
    this.#counts.written++;
    this.#emit({ kind: "written", models: written.length });
  }

  /** Keeps a copy of a file's content. @returns where. */
  #setAside(bytes: Buffer): string {
    const folder = join(this.#ends.folder, "set-aside");
    makeFolder(folder);
    const path = join(folder, `${freeName(folder, Date.now(), [".list"])}.list`);
    writeDurably(path, bytes);
    syncPath(folder);
    for (const name of readdirSync(folder).toSorted().slice(0, -MAX_SET_ASIDE)) {
      rmSync(join(folder, name), { force: true });
    }
    return path;
  }

  async #follow(after: number, signal: AbortSignal): Promise<void> {
    const events = this.#ends.registry.watch({ after, signal });
    while ((await events.next()).done !== true) {
      this.#isDirty = true;
      this.#wake();
    }
  }

  // Where a file system tells of no changes, looking now and then has to do.
  #watch(): ReturnType<typeof watch> | undefined {
    const { list } = this.#ends;
    try {
      const watcher = watch(dirname(list), (_kind, name) => {
        if (name === null || name === basename(list)) this.#wake();
      });
      watcher.on("error", () => watcher.close());
      return watcher;
    } catch {
      return undefined;
    }
  }

  async #rest(isIdle: boolean): Promise<void> {
    if (this.#runsSomething && performance.now() - this.#readAt > RUNNING_POLL_MS) this.#isDirty = true;
    const woken = new Promise<void>((wake) => (this.#wake = wake));
    const timer = new AbortController();
    const restMs = isIdle ? POLL_MS : UNSETTLED_POLL_MS;
    const slept = sleep(restMs, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([slept, woken]);
    timer.abort();
    // Each line of a foreign write wakes: looking at every one would take longer than writing them.
    if (!this.#options.signal.aborted) await sleep(10);
  }

  #report(event: BridgeEvent): void {
    const counts = this.#counts;
    if (event.kind === "line") {
      if (event.outcome === "created" || event.outcome === "renamed") counts.created++;
      else if (event.outcome === "refused") counts.refused++;
    } else if (event.kind === "updated" || event.kind === "deleted" || event.kind === "set_aside") {
      counts[event.kind]++;
    } else if (event.kind === "conflict") counts.conflicts++;
    else if (event.kind === "kept") counts.kept += event.count;
    this.#emit(event);
  }

  #emit(event: BridgeEvent): void {
    this.#options.onEvent(event);
  }
}

// What was taken over, other programs are taken to know.
function withTaken(
  bases: readonly Base[],
  theirs: ListText,
  { merge, deleted, updated, entries }: AppliedMerge,
): readonly Base[] {
  const refused = new Set(entries.filter(({ outcome }) => outcome === "refused").map(({ line }) => line));
  const isAdded = new Set(merge.additions.map(({ line }) => line).filter((line) => !refused.has(line)));
  const added = theirs.rows.filter(({ line }) => isAdded.has(line)).map(({ row }) => row);
  const deletions = merge.deletions.filter(({ modelId }) => deleted.includes(modelId));
  return rebase(bases, { deletions, updates: updated }, added);
}

async function hasMergedAfter({ history }: Registry, eventId: number): Promise<boolean> {
  const { items } = await history.list({ actor: LEGACY_ACTOR, limit: 1 });
  return items.some((event) => event.eventId > eventId);
}

function configOf({ availability, configPath }: Model): ConfigState {
  if (configPath !== null && existsSync(configPath)) return "there";
  return availability === "present" && configPath !== null ? "gone" : "unknown";
}

// Those lines whose YAML is there; one that names none lacks none.
function withConfig(lines: readonly NumberedLine[], dataFolder: string): readonly NumberedLine[] {
  const disk = new Disk();
  return lines.filter(({ text }) => {
    const written = parseRow(text)?.configPath ?? UNKNOWN_WORD;
    return written === UNKNOWN_WORD || resolveLegacyPath(written, dataFolder, disk).exists;
  });
}

function isSameRows(rows: readonly ListRow[], others: readonly ListRow[] | undefined): boolean {
  return (
    rows.length === others?.length && rows.every((row, index) => formatRow(row) === formatRow(others[index]!))
  );
}

function inData({
  author,
  branch,
  configPath,
  alias,
}: Partial<Record<string, string>>): Record<string, string> {
  return {
    ...(author === undefined ? {} : { author_repo: author }),
    ...(branch === undefined ? {} : { branch }),
    ...(configPath === undefined ? {} : { config_path: configPath }),
    ...(alias === undefined ? {} : { alias }),
  };
}

// What may be over in a moment, as a sentence.
function passing(error: unknown): string | undefined {
  if (isRegistryError(error)) {
    return ["database_busy", "disk_full"].includes(error.code) ? error.message : undefined;
  }
  const { code, path = "The disk" } = error as NodeJS.ErrnoException;
  return code !== undefined && ["ENOSPC", "EDQUOT", "EMFILE", "EAGAIN"].includes(code)
    ? `${path} cannot be used: ${reasonOf(error)}.`
    : undefined;
}
