import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { atLeast, atMost, type Case, type Fact } from "../case.ts";

const WRITERS = 8;
const run = promisify(execFile);

interface Written {
  readonly commits: number;
  readonly longestMs: number;
  readonly busy: number;
}

/** Eight processes that write all the time: whether each gets its turn. */
export const writers: Case = {
  name: "writers",
  sizes: (size) => size < 1_000_000,
  async run({ fixture, effort }) {
    const durationMs = effort.quick ? 1500 : 8000;
    const loop = async (path: string, script: string, count: number): Promise<Written[]> => {
      // All of them have started by then.
      const start = Date.now() + 1000 + count * 150;
      const program = [...process.execArgv, join(import.meta.dirname, `../processes/${script}`), path];
      // All of them are waited for, also when one fails.
      const ended = await Promise.allSettled(
        Array.from({ length: count }, (_, which) =>
          run(process.execPath, [...program, String(which), String(start), String(durationMs)]),
        ),
      );
      return ended.map((writer) => {
        if (writer.status === "rejected") throw writer.reason;
        return JSON.parse(writer.value.stdout) as Written;
      });
    };
    const own = fixture.copy("own");
    const alone = await loop(own, "write-in-a-loop.ts", 1);
    const ours = await loop(own, "write-in-a-loop.ts", WRITERS);
    const stock = await loop(fixture.copy("raw"), "write-in-a-loop-stock.ts", WRITERS);
    const rate = (written: readonly Written[]): number =>
      (sum(written.map(({ commits }) => commits)) / durationMs) * 1000;
    const factsOf = (who: string, written: readonly Written[]): Fact[] => [
      { title: `${who}: commits in a second, all together`, value: rate(written), unit: "" },
      { title: `${who}: slowest against fastest`, value: evenness(written), unit: "" },
      { title: `${who}: longest wait for one commit`, value: longest(written), unit: "ms" },
      { title: `${who}: busy errors`, value: sum(written.map(({ busy }) => busy)), unit: "" },
    ];
    return {
      facts: [
        { title: "registry, 1 process: commits in a second", value: rate(alone), unit: "" },
        ...factsOf(`registry, ${WRITERS} processes`, ours),
        ...factsOf(`raw with SQLite's own busy handler, ${WRITERS} processes`, stock),
      ],
      goals: [
        atLeast("8 writing processes: slowest against fastest", evenness(ours), 0.8),
        atMost("8 writing processes: busy errors", sum(ours.map(({ busy }) => busy)), 0),
        atMost(
          "8 writing processes: longest wait against SQLite's handler",
          longest(ours) / longest(stock),
          0.05,
        ),
        atLeast("8 writing processes: commits against one alone", rate(ours) / rate(alone), 0.3),
      ],
    };
  },
};

function evenness(written: readonly Written[]): number {
  const commits = written.map((each) => each.commits);
  return Math.min(...commits) / Math.max(...commits);
}

function longest(written: readonly Written[]): number {
  return Math.max(...written.map(({ longestMs }) => longestMs));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
