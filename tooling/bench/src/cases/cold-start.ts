import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { atMost, type Case } from "../case.ts";
import { measure } from "../harness.ts";

const CLI = join(import.meta.dirname, "../../../../apps/cli");
const EMPTY = "node empty.cjs";
const LIST = "cortex list";

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
    const measurement = await measure(
      [
        { name: EMPTY, run: () => start(empty) },
        { name: "node -e 0", run: () => start("-e", "0") },
        { name: LIST, run: () => start(cli, "list") },
        { name: "cortex list --json", run: () => start(cli, "list", "--json") },
        { name: "cortex --version", run: () => start(cli, "--version") },
      ],
      { clock: "own", rounds: effort.quick ? 7 : 25, batchMs: 0 },
    );
    return {
      tables: [{ title: "cold start", reference: EMPTY, measurement }],
      goals: [atMost("cortex list: against an empty Node script", measurement.ratio(LIST, EMPTY), 1.25)],
    };
  },
};
