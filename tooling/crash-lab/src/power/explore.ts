import { hash } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { createRandom } from "../random.ts";
import { choicesOf, formatChoice, parseChoice, SECTOR_BYTES, type Choice } from "./choices.ts";
import {
  contentAfter,
  applyNames,
  Disk,
  isBallast,
  type ContentChange,
  type FileNode,
  type PendingChange,
} from "./disk.ts";
import type { Recording } from "./recording.ts";

/** How much of each kind of acknowledged work a state holds, or what is wrong with it. */
type Verdict = { readonly held: Readonly<Record<string, number>> } | { readonly problem: string };

/** Opens what a power cut has left and says what is there. */
export type Judge = (folder: string) => Promise<Verdict>;

interface Failure {
  /** After how many calls the power was cut, and what was left: `--state` runs it again. */
  readonly state: string;
  readonly problem: string;
}

export interface Exploration {
  readonly states: number;
  readonly distinct: number;
  readonly syncs: number;
  readonly acknowledged: number;
  readonly failures: readonly Failure[];
}

/** What need not be done twice for one recording. */
export interface Memory {
  /** By content. */
  readonly verdicts: Map<string, Verdict>;
  /** Digests of files, by the changes that made them. */
  readonly digests: Map<string, string>;
}

/** @returns one that knows nothing yet. */
export function createMemory(): Memory {
  return { verdicts: new Map(), digests: new Map() };
}

export interface ExploreOptions {
  seed: number;
  /** The most states of one moment. */
  perMoment: number;
  /** Cuts at one of so many moments only; 1 when left out. */
  every?: number | undefined;
  /** Only this state. */
  only?: string | undefined;
  /** The sync, counted from 0, that is taken for not made; only what comes after it is looked at. */
  leaveOut?: number | undefined;
  /** Ends at this many failures. */
  mostFailures?: number | undefined;
  /** What an earlier exploration of the same recording found. */
  memory?: Memory | undefined;
}

/**
 * Cuts the power after each call of a recording, in many ways, and judges what is left: it must open,
 * be sound, and hold whatever was acknowledged by then. States of the same content are judged once.
 */
export async function explore(
  recording: Recording,
  judge: Judge,
  options: ExploreOptions,
): Promise<Exploration> {
  const { seed, perMoment, every = 1, only, leaveOut, mostFailures = 20 } = options;
  const { verdicts, digests } = options.memory ?? createMemory();
  const disk = new Disk(recording.folder, recording.content);
  const seen = new Set<string>();
  const acknowledged: Record<string, number> = {};
  const failures: Failure[] = [];
  let states = 0;
  let syncs = 0;
  let acks = 0;

  const cut = async (moment: number, pending: readonly PendingChange[], choice: Choice): Promise<void> => {
    states++;
    const state = stateOf(disk, pending, choice, digests);
    seen.add(state.key);
    let verdict = verdicts.get(state.key);
    if (verdict === undefined) {
      materialize(recording.folder, state.files());
      verdict = await judge(recording.folder);
      verdicts.set(state.key, verdict);
    }
    const problem = problemOf(verdict, acknowledged);
    if (problem !== undefined) failures.push({ state: `${moment}:${formatChoice(choice)}`, problem });
  };

  const [onlyMoment, onlyChoice] = only?.split(/:(.*)/) ?? [];
  for (const [moment, call] of recording.calls.entries()) {
    const event = disk.apply(call, leaveOut === syncs);
    if (event === undefined) continue;
    if (event.kind === "synced") syncs++;
    if (event.kind === "said") {
      const said = recording.acknowledgement(event.text);
      if (said === undefined) continue;
      acknowledged[said.of] = said.position;
      acks++;
    }
    if (leaveOut !== undefined && syncs <= leaveOut) continue;
    const pending = disk.pending;
    if (only !== undefined) {
      if (moment === Number(onlyMoment)) await cut(moment, pending, parseChoice(onlyChoice!, pending.length));
      continue;
    }
    const random = createRandom(seed, moment);
    if (random.below(every) > 0) continue;
    for (const choice of choicesOf(pending, random, perMoment)) {
      await cut(moment, pending, choice);
      if (failures.length >= mostFailures) break;
    }
    if (failures.length >= mostFailures) break;
  }
  return { states, distinct: seen.size, syncs, acknowledged: acks, failures };
}

function problemOf(verdict: Verdict, acknowledged: Readonly<Record<string, number>>): string | undefined {
  if ("problem" in verdict) return verdict.problem;
  for (const [of, position] of Object.entries(acknowledged)) {
    const held = verdict.held[of] ?? 0;
    if (held < position) return `${of}: ${position} was acknowledged, ${held} is there`;
  }
  return undefined;
}

interface State {
  /** The same for states of the same content. */
  readonly key: string;
  /** The files by absolute path; folders as `undefined`. */
  files(): Map<string, Buffer | undefined>;
}

function stateOf(
  disk: Disk,
  pending: readonly PendingChange[],
  choice: Choice,
  digests: Map<string, string>,
): State {
  const names = new Map(disk.durableNames);
  const kept: { change: ContentChange; index: number }[] = [];
  for (const [index, change] of pending.entries()) {
    if (choice.kept[index] !== true) continue;
    if (change.kind === "name") applyNames(names, change.names);
    else kept.push({ change, index });
  }
  // A name within a folder whose own name was lost leads nowhere.
  for (const path of [...names.keys()].toSorted()) {
    if (dirname(path) !== disk.root && !names.has(dirname(path))) names.delete(path);
  }
  const contentOf = (file: FileNode): Buffer =>
    contentAfter(
      file.durable,
      kept.flatMap(({ change, index }) => {
        if (change.file !== file) return [];
        return choice.torn?.change === index ? torn(change, choice.torn) : change;
      }),
    );
  const digestOf = (file: FileNode): string => {
    const tear = choice.torn === undefined ? "" : JSON.stringify(choice.torn);
    const own = kept.filter(({ change }) => change.file === file);
    const changes = own.map(({ index }) => pending[index]!.id).join();
    const tears = own.some(({ index }) => index === choice.torn?.change) ? tear : "";
    // Thousands of changes may be pending: what they are called is kept short.
    const symbol = hash("sha1", `${file.durableKey}:${changes}${tears}`, "base64");
    let digest = digests.get(symbol);
    if (digest === undefined) digests.set(symbol, (digest = hash("sha1", contentOf(file), "base64")));
    return digest;
  };
  const paths = [...names.keys()].toSorted();
  const contentName = (path: string): string => {
    const node = names.get(path)!;
    return node === "folder" ? "" : digestOf(node);
  };
  return {
    key: hash("sha1", paths.map((path) => `${relative(disk.root, path)}=${contentName(path)}`).join("\n")),
    files: () =>
      new Map(
        paths.map((path) => {
          const node = names.get(path)!;
          return [path, node === "folder" ? undefined : contentOf(node)];
        }),
      ),
  };
}

function torn(change: ContentChange, { from, to }: { from: number; to: number }): typeof change {
  if (change.kind !== "write") return change;
  return {
    ...change,
    offset: change.offset + from * SECTOR_BYTES,
    data: change.data.subarray(from * SECTOR_BYTES, to * SECTOR_BYTES),
  };
}

/** Makes a folder hold these files and nothing else. */
function materialize(folder: string, files: ReadonlyMap<string, Buffer | undefined>): void {
  for (const entry of readdirSync(folder)) rmSync(join(folder, entry), { recursive: true });
  for (const [path, content] of files) {
    if (content === undefined) mkdirSync(path);
    else if (isBallast(path)) linkSync(ballastOf(folder), path);
    else writeFileSync(path, content);
  }
}

// To write a megabyte for each state would take longer than all the rest.
function ballastOf(folder: string): string {
  const path = join(dirname(folder), "ballast");
  if (!existsSync(path)) writeFileSync(path, Buffer.alloc(2 ** 20, 1));
  return path;
}
