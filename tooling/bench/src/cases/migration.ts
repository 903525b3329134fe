import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { atLeast, type Case } from "../case.ts";
import { writeModelList } from "../contenders/model-list.ts";
import { measure } from "../harness.ts";

const MIGRATOR = join(import.meta.dirname, "../../../../apps/legacy-migrator");
const OURS = "cortex-migrate: read, back up, write, verify, report";
const RAW = "parsing and a raw insert loop, the same rows";
const BATCHED = "the same, search text added at the end";
const run = promisify(execFile);

interface Usage {
  readonly cpuMicros: number;
  readonly wallMicros: number;
  readonly peakBytes: number;
}

/** A `model.list` of as many lines as there are models, into an empty registry; the time is that of the processor. */
export const migration: Case = {
  name: "migration",
  sizes: (size) => size >= 10_000,
  async run({ fixture, effort }) {
    if (!existsSync(join(MIGRATOR, "dist/main.cjs"))) {
      return { skipped: "@cortex/legacy-migrator is not built; `npm run bench` builds it." };
    }
    // Minutes each: once, and without what a smaller one tells as well.
    const isLarge = fixture.size >= 1_000_000;
    const old = join(fixture.folder, "old");
    const list = join(old, "model.list");
    const to = join(fixture.folder, "migrated");
    const usageFile = join(fixture.folder, "usage.json");
    mkdirSync(old);
    writeModelList(list, fixture.size);
    const usages = new Map<string, Usage[]>();
    const contender = (name: string, program: readonly string[]) => ({
      name,
      isAsync: true,
      async run() {
        rmSync(to, { recursive: true, force: true });
        mkdirSync(to);
        const preload = ["--require", join(import.meta.dirname, "../processes/report-usage.cjs")];
        await run(process.execPath, [...preload, ...program], {
          env: { ...process.env, BENCH_USAGE: usageFile, NODE_OPTIONS: "" },
          maxBuffer: 2 ** 28,
        });
        const usage = JSON.parse(readFileSync(usageFile, "utf8")) as Usage;
        usages.set(name, [...(usages.get(name) ?? []), usage]);
        return usage.cpuMicros;
      },
    });
    const load = [
      ...process.execArgv,
      join(import.meta.dirname, "../processes/load-list.ts"),
      list,
      join(to, "registry.db"),
    ];
    const measurement = await measure(
      [
        contender(OURS, [
          join(MIGRATOR, "bin/cortex-migrate.cjs"),
          "--from",
          list,
          "--to",
          join(to, "registry.db"),
          "--yes",
        ]),
        contender(RAW, load),
        ...(isLarge ? [] : [contender(BATCHED, [...load, "at the end"])]),
      ],
      { clock: "own", rounds: effort.quick || isLarge ? 0 : 3, batchMs: 0 },
    );
    const last = usages.get(OURS)!.at(-1)!;
    return {
      tables: [{ title: "migration of a model.list", reference: RAW, measurement }],
      facts: [
        {
          title: "cortex-migrate: lines in a second, by the clock",
          value: fixture.size / (last.wallMicros / 1e6),
          unit: "",
        },
        { title: "cortex-migrate: most memory at a time", value: last.peakBytes / 1e6, unit: "MB" },
        { title: "model.list", value: statSync(list).size / 1e6, unit: "MB" },
      ],
      goals: [atLeast("migration: rate against parsing and a raw loop", measurement.ratio(RAW, OURS), 0.7)],
    };
  },
};
