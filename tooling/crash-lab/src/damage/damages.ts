import { copyFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import Database from "better-sqlite3";

import { REGISTRY_FILE } from "../fixtures.ts";
import { createRandom, type Random } from "../random.ts";
import type { Source, SourceState } from "./source.ts";

/** One thing that happens to the files of a registry. */
export interface Damage {
  readonly kind: DamageKind;
  /** What exactly, for the recipe. */
  readonly what: string;
  readonly state: SourceState["name"];
  /** The files are in this folder. */
  readonly apply: (folder: string) => void;
}

/** By what is damaged, as the table lists them. */
export const DAMAGE_KINDS = [
  "local",
  "heavy",
  "truncated",
  "header",
  "not a registry",
  "log",
  "replaced",
] as const;
export type DamageKind = (typeof DAMAGE_KINDS)[number];

const PAGE_BYTES = 4096;
const FRAME_BYTES = PAGE_BYTES + 24;
const LOG_HEADER_BYTES = 32;

/**
 * Damages, so many of them, in the shares in which they are looked at; and a truncation at pages evenly
 * spread over the file, at every one when there are enough.
 */
export function createDamages(source: Source, count: number, seed: number): Damage[] {
  const shares: readonly [number, (random: Random, source: Source) => Omit<Damage, "kind">, DamageKind][] = [
    [0.55, local, "local"],
    [0.13, heavy, "heavy"],
    [0.035, header, "header"],
    [0.015, notRegistry, "not a registry"],
    [0.12, log, "log"],
    [0.02, replaced, "replaced"],
  ];
  const damages = shares.flatMap(([share, make, kind]) =>
    Array.from({ length: Math.ceil(count * share) }, (_, index) => ({
      kind,
      ...make(createRandom(seed, kind, index), source),
    })),
  );
  return [...damages, ...truncations(source, count - damages.length)];
}

function edit(
  what: string,
  state: Damage["state"],
  change: (bytes: Buffer) => Buffer | void,
): Omit<Damage, "kind"> {
  return { what, state, apply: (folder) => editFile(join(folder, REGISTRY_FILE), change) };
}

function editFile(path: string, change: (bytes: Buffer) => Buffer | void): void {
  const bytes = readFileSync(path);
  writeFileSync(path, change(bytes) ?? bytes);
}

function anyState(random: Random): Damage["state"] {
  return random.chance(0.3) ? "open" : "closed";
}

/** A few pages or bits. */
function local(random: Random, { olderFile }: Source): Omit<Damage, "kind"> {
  const state = anyState(random);
  const count = 1 + random.below(4);
  const zeroPages = edit(`${count} pages zeroed`, state, (bytes) => {
    for (let done = 0; done < count; done++) anyPage(bytes, random).fill(0);
  });
  const flips = edit(`${count} bits flipped`, state, (bytes) => flip(bytes, count, random));
  const garbage = edit("512 bytes of garbage", state, (bytes) => {
    fillRandom(bytes.subarray(512 * (8 + random.below(bytes.length / 512 - 8))).subarray(0, 512), random);
  });
  const misdirected = edit("a page written over another", state, (bytes) => {
    anyPage(bytes, random).copy(anyPage(bytes, random));
  });
  // A write that the disk said it had done.
  const lostWrite = edit("an older version of a page", state, (bytes) => {
    const older = readFileSync(olderFile);
    const at = PAGE_BYTES * (1 + random.below(Math.min(older.length, bytes.length) / PAGE_BYTES - 1));
    older.copy(bytes, at, at, at + PAGE_BYTES);
  });
  return random.pick([zeroPages, flips, flips, garbage, misdirected, lostWrite]);
}

/** A tenth to a half of the pages, or bits in most of them. */
function heavy(random: Random): Omit<Damage, "kind"> {
  const state = anyState(random);
  const share = random.pick([0.1, 0.25, 0.5]);
  const bitsPerPage = random.pick([0.7, 2, 7]);
  return random.pick([
    edit(`${share * 100} % of the pages zeroed`, state, (bytes) => {
      for (let at = PAGE_BYTES; at < bytes.length; at += PAGE_BYTES) {
        if (random.chance(share)) bytes.fill(0, at, at + PAGE_BYTES);
      }
    }),
    edit(`${bitsPerPage} bits of each page flipped`, state, (bytes) =>
      flip(bytes, (bytes.length / PAGE_BYTES) * bitsPerPage, random),
    ),
  ]);
}

/** The first page: the file's header, or the schema. */
function header(random: Random): Omit<Damage, "kind"> {
  const state = anyState(random);
  const field = random.pick([0, 16, 18, 19, 20, 24, 28, 32, 40, 44, 48, 56, 60, 68, 92, 96]);
  return random.pick([
    edit("the first page zeroed", state, (bytes) => void bytes.fill(0, 0, PAGE_BYTES)),
    edit("the file header zeroed", state, (bytes) => void bytes.fill(0, 0, 100)),
    edit(
      "the first page is garbage",
      state,
      (bytes) => void fillRandom(bytes.subarray(0, PAGE_BYTES), random),
    ),
    edit("the schema is garbage", state, (bytes) => void fillRandom(bytes.subarray(100, PAGE_BYTES), random)),
    edit("a bit flipped in the schema", state, (bytes) => flip(bytes.subarray(100, PAGE_BYTES), 1, random)),
    edit(
      `header field ${field} altered`,
      state,
      (bytes) => void fillRandom(bytes.subarray(field, field + 2), random),
    ),
  ]);
}

function notRegistry(random: Random, { states }: Source): Omit<Damage, "kind"> {
  const state = anyState(random);
  const sizeBytes = states[0]!.truth.size * 1000;
  const replaceBy = (what: string, content: (folder: string) => Buffer): Omit<Damage, "kind"> => ({
    what,
    state,
    apply: (folder) => writeFileSync(join(folder, REGISTRY_FILE), content(folder)),
  });
  return random.pick([
    replaceBy("an empty file", () => Buffer.alloc(0)),
    replaceBy("zeros", () => Buffer.alloc(sizeBytes)),
    replaceBy("garbage", () => fillRandom(Buffer.alloc(sizeBytes), random)),
    replaceBy("a text", () => Buffer.from("something else\n".repeat(200))),
    replaceBy("another program's database", otherDatabase),
    { what: "no file", state, apply: (folder) => rmSync(join(folder, REGISTRY_FILE)) },
  ]);
}

/** The write-ahead log of a program that was killed, on a machine that has not restarted. */
function log(random: Random, { foreignLog, staleLog }: Source): Omit<Damage, "kind"> {
  const bits = random.pick([1, 1, 10, 1000]);
  return random.pick([
    { what: "log missing", state: "open", apply: (folder) => rmSync(join(folder, `${REGISTRY_FILE}-wal`)) },
    editLog("log empty", () => Buffer.alloc(0)),
    editLog("log cut anywhere", (bytes) => bytes.subarray(0, random.below(bytes.length))),
    editLog("log cut between frames", (bytes) => {
      const frames = Math.floor((bytes.length - LOG_HEADER_BYTES) / FRAME_BYTES);
      return bytes.subarray(0, LOG_HEADER_BYTES + random.below(frames) * FRAME_BYTES);
    }),
    editLog(`log with ${bits} bits flipped`, (bytes) => flip(bytes, bits, random)),
    editLog("log header is garbage", (bytes) => void fillRandom(bytes.subarray(0, LOG_HEADER_BYTES), random)),
    editLog("log is garbage", (bytes) => fillRandom(bytes, random)),
    replaceLog("a foreign log", foreignLog),
    replaceLog("a stale log", staleLog),
  ]);
}

function editLog(what: string, edited: (bytes: Buffer) => Buffer | void): Omit<Damage, "kind"> {
  return { what, state: "open", apply: (folder) => editFile(join(folder, `${REGISTRY_FILE}-wal`), edited) };
}

function replaceLog(what: string, other: string): Omit<Damage, "kind"> {
  return {
    what,
    state: "open",
    apply: (folder) => copyFileSync(other, join(folder, `${REGISTRY_FILE}-wal`)),
  };
}

/** Nothing that the files alone could tell: an older copy, or the log gone with the machine restarted. */
function replaced(random: Random, { olderFile }: Source): Omit<Damage, "kind"> {
  return random.pick([
    {
      what: "an older file",
      state: "closed",
      apply: (folder) => copyFileSync(olderFile, join(folder, REGISTRY_FILE)),
    },
    {
      what: "log and its index missing",
      state: "open",
      apply(folder) {
        for (const end of ["-wal", "-shm"]) rmSync(join(folder, REGISTRY_FILE + end), { force: true });
      },
    },
  ]);
}

function truncations({ states }: Source, count: number): Damage[] {
  const [state] = states;
  const pages = Math.floor(readFileSync(join(state!.folder, REGISTRY_FILE)).length / PAGE_BYTES);
  return Array.from({ length: count }, (_, index) => {
    const page = 1 + Math.floor((index * (pages - 1)) / count);
    // Every fifth in the middle of a page.
    const sizeBytes = page * PAGE_BYTES - (index % 5 === 4 ? 1000 : 0);
    return {
      kind: "truncated",
      what: `cut to ${sizeBytes} bytes`,
      state: state!.name,
      apply: (folder) => truncateSync(join(folder, REGISTRY_FILE), sizeBytes),
    };
  });
}

// Any but the first, which has a kind of its own.
function anyPage(bytes: Buffer, random: Random): Buffer {
  const at = PAGE_BYTES * (1 + random.below(bytes.length / PAGE_BYTES - 1));
  return bytes.subarray(at, at + PAGE_BYTES);
}

function flip(bytes: Buffer, count: number, random: Random): void {
  for (let done = 0; done < count; done++) {
    const at = random.below(bytes.length);
    bytes[at]! ^= 1 << random.below(8);
  }
}

function fillRandom(bytes: Buffer, random: Random): Buffer {
  for (let at = 0; at < bytes.length; at++) bytes[at] = random.below(256);
  return bytes;
}

function otherDatabase(folder: string): Buffer {
  const path = join(folder, "other.tmp");
  const database = new Database(path);
  database.exec("CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('not yours')");
  database.close();
  const bytes = readFileSync(path);
  for (const end of ["", "-wal", "-shm"]) if (existsSync(path + end)) rmSync(path + end);
  return bytes;
}
