import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { toRecord } from "../../src/index.ts";
import { assemble, type Source } from "../../src/maintenance/assemble.ts";
import type { ModelReport } from "../../src/maintenance/assembly-report.ts";
import { listSnapshots } from "../../src/maintenance/snapshots.ts";
import { toModelValues } from "../../src/schema/model.ts";
import { makeWorkedRegistry, seeded, type WorkedRegistry } from "./worked-registry.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const PAGE = 4096;
const ROUNDS = 4;

let folder: string;
let worked: WorkedRegistry;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "damages-"));
  worked = await makeWorkedRegistry(folder, 120);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Random = (bound: number) => number;
interface Files {
  readonly main: Buffer;
  readonly log?: Buffer;
}

/** What can happen to a file, by name; `closed` has no log. */
const DAMAGES: Record<string, (random: Random, closed: Buffer, open: Required<Files>) => Files> = {
  "flipped bits": (random, closed) => ({ main: flipped(random, closed, 1 + random(10)) }),
  "pages of zeros": (random, closed) => ({ main: zeroed(closed, () => random(30) === 0) }),
  "a third of the pages gone": (random, closed) => ({ main: zeroed(closed, () => random(3) === 0) }),
  "garbage over a part of a page": (random, closed) => {
    const main = Buffer.from(closed);
    const start = random(main.length);
    for (let at = start; at < Math.min(main.length, start + 900); at++) main[at] = random(256);
    return { main };
  },
  "hundreds of flipped bits": (random, closed) => ({ main: flipped(random, closed, 600) }),
  "a tree that leads into another table": (_random, closed) => {
    const main = Buffer.from(closed);
    // https://www.sqlite.org/fileformat2.html#b_tree_pages: the right child of the root.
    main.writeUInt32BE(rootOf("model"), (rootOf("model_event") - 1) * PAGE + 8);
    return { main };
  },
  "a table that another one is taken for": (_random, closed) => {
    const main = Buffer.from(closed);
    main.copy(main, (rootOf("model_event") - 1) * PAGE, (rootOf("model") - 1) * PAGE, rootOf("model") * PAGE);
    return { main };
  },
  "a cut": (random, closed) => ({ main: closed.subarray(0, random(closed.length)) }),
  "a damaged header": (random, closed) => {
    const main = Buffer.from(closed);
    for (let count = 0; count < 4; count++) main[random(100)] = random(256);
    return { main };
  },
  "a first page of zeros": (_random, closed) => ({ main: Buffer.from(closed).fill(0, 0, PAGE) }),
  "flipped bits in the log": (random, _closed, { main, log }) => ({ main, log: flipped(random, log, 3) }),
  "a cut log": (random, _closed, { main, log }) => ({ main, log: log.subarray(0, random(log.length)) }),
  "a missing log": (_random, _closed, { main }) => ({ main }),
  "both damaged": (random, _closed, { main, log }) => ({
    main: zeroed(main, () => random(5) === 0),
    log: flipped(random, log, 3),
  }),
};

describe.each(Object.keys(DAMAGES))("after %s", (name) => {
  const damagedCopies = function* (): Generator<string> {
    const closed = readFileSync(worked.path);
    const open = { main: readFileSync(worked.openCopy), log: readFileSync(`${worked.openCopy}-wal`) };
    const random = seeded(name.length * 7919);
    for (let round = 0; round < ROUNDS; round++) {
      const { main, log } = DAMAGES[name]!(random, closed, open);
      const path = join(mkdtempSync(join(folder, "case-")), "registry.db");
      writeFileSync(path, main);
      if (log !== undefined) writeFileSync(`${path}-wal`, log);
      // It stays when the processes die; a copy of a closed file has none.
      if (main.length === open.main.length && main !== closed && (log !== undefined || main === open.main))
        copyFileSync(`${worked.openCopy}-shm`, `${path}-shm`);
      yield path;
    }
  };

  test("nothing is lost where there is a snapshot and a log, and what was deleted stays deleted", async () => {
    for (const path of damagedCopies()) {
      const { exact, ghosts, contradictions } = await compare(path, worked.backup);
      expect({ exact, ghosts, contradictions }).toEqual({
        exact: worked.truth.size,
        ghosts: 0,
        contradictions: 0,
      });
    }
  });

  test("what is not as it was is told, and no damaged row is taken", async () => {
    let share = 0;
    for (const path of damagedCopies()) {
      const { exact, silent, invented } = await compare(path);
      expect({ silent, invented }).toEqual({ silent: [], invented: [] });
      share += exact / worked.truth.size / ROUNDS;
    }
    expect(share).toBeGreaterThan(LEAST[name] ?? 0.97);
  });

  test("a snapshot alone brings nearly all back", async () => {
    let share = 0;
    for (const path of damagedCopies()) {
      const { exact, silent, invented } = await compare(path, worked.snapshotOnly);
      expect({ silent, invented }).toEqual({ silent: [], invented: [] });
      share += exact / worked.truth.size / ROUNDS;
    }
    // What a log or the end of a file held that is gone was never in the snapshot.
    expect(share).toBeGreaterThan(name.includes("log") ? 0.7 : name === "a cut" ? 0.8 : 0.9);
  });
});

/** The share of models that comes back exactly from the file alone; for the rest it is nearly all. */
const LEAST: Readonly<Record<string, number>> = {
  "a third of the pages gone": 0.6,
  "hundreds of flipped bits": 0.6,
  "a cut": 0.3,
  "a cut log": 0.5,
  "a missing log": 0.5,
  "both damaged": 0.75,
};

interface Compared {
  readonly exact: number;
  /** Models that were deleted, and are there again. */
  readonly ghosts: number;
  /** Models that are not as they were, without a word of it. */
  readonly silent: readonly string[];
  /** States that no model ever had, without a word of it. */
  readonly invented: readonly string[];
  readonly contradictions: number;
}

async function compare(path: string, backup?: string): Promise<Compared> {
  const sources: Source[] = [{ origin: "file", path }];
  if (backup !== undefined) {
    sources.push({ origin: "change_log", folder: backup });
    sources.push({ origin: "snapshot", path: listSnapshots(backup)[0]!.path });
  }
  using assembly = await assemble(sources, { at: Date.now() });
  const { models, contradictions, missingEvents } = assembly.report;
  const reports = new Map<string, ModelReport>(models.map((model) => [model.modelId, model]));
  let exact = 0;
  let ghosts = 0;
  const silent = [];
  const invented = [];
  const found = new Set<string>();
  for (const { model, files } of assembly.models()) {
    const { modelId } = model;
    found.add(modelId);
    const record = toRecord({ ...model, rowChecksum: toModelValues(model).row_checksum });
    const state = JSON.stringify([record, files]);
    if (state === worked.truth.get(modelId)) exact++;
    else if (!worked.truth.has(modelId)) ghosts++;
    if (state !== worked.truth.get(modelId) && reports.get(modelId)!.state === "recovered")
      silent.push(modelId);
    if (!worked.past.has(state) && reports.get(modelId)!.state === "recovered") invented.push(modelId);
  }
  // A model of which nothing is left can only be missed by the events that are missing.
  for (const modelId of worked.truth.keys()) {
    const told = found.has(modelId) || reports.get(modelId)?.state === "lost";
    if (!told && missingEvents.length === 0 && assembly.report.endKnown) silent.push(modelId);
  }
  return { exact, ghosts, silent, invented, contradictions };
}

function rootOf(table: string): number {
  const database = new Database(worked.path, { readonly: true });
  const root = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").pluck().get(table);
  database.close();
  return root as number;
}

function flipped(random: Random, bytes: Buffer, count: number): Buffer {
  const damaged = Buffer.from(bytes);
  for (let one = 0; one < count; one++) damaged[random(damaged.length)]! ^= 1 << random(8);
  return damaged;
}

function zeroed(bytes: Buffer, isHit: () => boolean): Buffer {
  const damaged = Buffer.from(bytes);
  for (let start = 0; start < damaged.length; start += PAGE)
    if (isHit()) damaged.fill(0, start, start + PAGE);
  return damaged;
}
