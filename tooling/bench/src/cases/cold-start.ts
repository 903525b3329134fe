import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { atMost, type Case } from "../case.ts";
import { measure } from "../harness.ts";

const CLI = join(import.meta.dirname, "../../../../apps/cli");
const EMPTY = "node empty.cjs";
// Whoever else needs the processor or the disk can only make a start slower.
const STARTS = 3;
const LIST = "cortex list";
const BAREST = "better-sqlite3 alone, the rows of a page as they are";

/** `cortex list` from the start of the process to its end, against a script that does nothing. */
export const coldStart: Case = {
  name: "cold-start",
  async run({ fixture, effort }) {
    if (!existsSync(join(CLI, "dist/main.cjs")))
      return { skipped: "@cortex/cli is not built; `npm run bench` builds it." };
    const empty = join(fixture.folder, "empty.cjs");
    writeFileSync(empty, "");
    const cli = join(CLI, "bin/cortex.cjs");
    const environment = { ...process.env, CORTEX_DB: fixture.path, NODE_OPTIONS: "" };
    const start = (...program: string[]): number => {
      const before = performance.now();
      const { status, stderr } = spawnSync(process.execPath, program, { env: environment, encoding: "utf8" });
      const micros = (performance.now() - before) * 1000;
      if (status !== 0) throw new Error(`${program.join(" ")}: ${stderr}`);
      return micros;
    };
    const fastest = (...program: string[]): number =>
      Math.min(...Array.from({ length: STARTS }, () => start(...program)));
    const measurement = await measure(
      [
        { name: EMPTY, run: () => fastest(empty) },
        { name: "node -e 0", run: () => fastest("-e", "0") },
        { name: LIST, run: () => fastest(cli, "list") },
        { name: BAREST, run: () => fastest(join(import.meta.dirname, "../processes/print-rows.cjs")) },
        { name: "cortex list --json", run: () => fastest(cli, "list", "--json") },
        { name: "cortex --version", run: () => fastest(cli, "--version") },
      ],
      { clock: "own", rounds: effort.quick ? 5 : 15, batchMs: 0 },
    );
    return {
      tables: [{ title: "cold start", reference: EMPTY, measurement }],
      goals: [atMost("cortex list: against an empty Node script", measurement.ratio(LIST, EMPTY), 1.25)],
    };
  },
};
