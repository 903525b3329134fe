import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { atLeast, type Case } from "../case.ts";

const COMMITS = 50;

/** Fifty commits wait for the disk fifty times: counted by the operating system. */
export const sync: Case = {
  name: "sync",
  sizes: (size) => size < 1_000_000,
  async run({ fixture }) {
    if (spawnSync("strace", ["-V"]).status !== 0) {
      return { skipped: "strace is not here; it counts the calls of fsync and fdatasync." };
    }
    const counted = join(fixture.folder, "strace.txt");
    const count = (script: string, path: string): number => {
      const program = [
        ...process.execArgv,
        join(import.meta.dirname, `../processes/${script}`),
        path,
        String(COMMITS),
      ];
      const { status, stderr } = spawnSync(
        "strace",
        ["-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", counted, process.execPath, ...program],
        { encoding: "utf8" },
      );
      if (status !== 0) throw new Error(stderr);
      return readFileSync(counted, "utf8").match(/sync\(/g)?.length ?? 0;
    };
    const own = count("commit.ts", fixture.copy("own"));
    const stock = count("commit-stock.ts", fixture.copy("raw"));
    return {
      facts: [
        { title: `waits for the disk in ${COMMITS} commits: registry`, value: own, unit: "" },
        {
          title: `waits for the disk in ${COMMITS} commits: better-sqlite3 as it comes, WAL`,
          value: stock,
          unit: "",
        },
      ],
      goals: [atLeast(`${COMMITS} commits: waits for the disk`, own, COMMITS)],
    };
  },
};
