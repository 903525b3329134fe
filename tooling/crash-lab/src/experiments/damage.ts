import { rmSync } from "node:fs";
import { join } from "node:path";

import { createDamages, DAMAGE_KINDS, type DamageKind } from "../damage/damages.ts";
import { runCase, type CaseResult } from "../damage/run-case.ts";
import { BACKUPS, makeSource, type BackupKind } from "../damage/source.ts";
import type { Experiment, Outcome, Setting } from "../experiment.ts";
import { createMemoryFolder } from "../memory-folder.ts";

/** The files of a registry are damaged in all ways and repaired. */
export const damage: Experiment = {
  name: "damage",
  about: "files are damaged, cut, replaced, and repaired with and without a backup",
  run,
};

// A repair waits for others that may be about to open the file.
const AT_ONCE = 6;
/** What no file and no backup can tell, when there is no log of the changes. */
const UNKNOWABLE: ReadonlySet<DamageKind> = new Set(["replaced"]);

/** The least mean shares of models that come back exactly, by the backup that there is. */
export const GOALS: Readonly<Record<BackupKind, number>> = {
  none: 0.88,
  snapshot: 0.96,
  "snapshot and log": 1,
};

interface Case {
  readonly kind: DamageKind;
  readonly backup: BackupKind;
  readonly result: CaseResult;
}

async function run({ seed, long, only, say }: Setting): Promise<Outcome> {
  const place = createMemoryFolder();
  const source = await makeSource(join(place, "source"), long ? 1000 : 300, seed);
  const damages = createDamages(source, long ? 3200 : 100, seed);
  const [onlyDamage, onlyBackup] = only?.split(":") ?? [];
  const wanted = damages.flatMap((one, index) =>
    BACKUPS.filter(
      (backup) => only === undefined || (index === Number(onlyDamage) && backup === onlyBackup),
    ).map((backup) => ({ one, index, backup })),
  );
  const cases: Case[] = [];
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    for (let next = wanted.pop(); next !== undefined; next = wanted.pop()) {
      const { one, index, backup } = next;
      const result = await runCase(source, one, backup, join(place, `${index}-${BACKUPS.indexOf(backup)}`));
      cases.push({ kind: one.kind, backup, result });
      // What nothing tells of cannot be named; a log tells.
      const excused = UNKNOWABLE.has(one.kind) && backup !== "snapshot and log";
      if (!excused) {
        failures.push(
          ...result.problems.map(
            (problem) =>
              `${one.kind}, ${one.what}, ${one.state}, ${backup}: ${problem}. Again: npm run crash-lab -- damage${long ? " --long" : ""} --seed ${seed} --only '${index}:${backup}'`,
          ),
        );
      }
      if (cases.length % 500 === 0) say(`damage: ${cases.length} repairs, ${failures.length} failures`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  rmSync(place, { recursive: true });
  const figures = summarize(cases);
  const means = BACKUPS.map((backup) => `${percent(figures.mean[backup])} with ${backup}`).join(", ");
  const summary = `${tableOf(figures)}\ndamage: ${damages.length} damages, ${cases.length} repairs; models that come back exactly: ${means}; ${figures.ghosts["snapshot and log"]} deleted models came back with a log: ${failures.length} failures, seed ${seed}.`;
  return { summary, figures: { damages: damages.length, repairs: cases.length, ...figures }, failures };
}

interface Figures {
  readonly mean: Readonly<Record<BackupKind, number>>;
  readonly ghosts: Readonly<Record<BackupKind, number>>;
  readonly refused: Readonly<Record<BackupKind, number>>;
  readonly byKind: Readonly<
    Record<string, { readonly cases: number } & Readonly<Record<BackupKind, number>>>
  >;
}

function summarize(cases: readonly Case[]): Figures {
  const per = (of: (these: readonly Case[]) => number): Record<BackupKind, number> =>
    Object.fromEntries(
      BACKUPS.map((backup) => [backup, of(cases.filter((one) => one.backup === backup))]),
    ) as Record<BackupKind, number>;
  return {
    mean: per((these) => mean(these.map(({ result }) => result.share))),
    ghosts: per((these) => these.reduce((sum, { result }) => sum + result.ghosts, 0)),
    refused: per((these) => these.filter(({ result }) => result.outcome === "refused").length),
    byKind: Object.fromEntries(
      DAMAGE_KINDS.map((kind) => {
        const those = cases.filter((one) => one.kind === kind);
        const shares = (backup: BackupKind): number =>
          mean(those.filter((one) => one.backup === backup).map(({ result }) => result.share));
        return [
          kind,
          {
            cases: those.length / BACKUPS.length,
            none: shares("none"),
            snapshot: shares("snapshot"),
            "snapshot and log": shares("snapshot and log"),
          },
        ];
      }),
    ),
  };
}

function tableOf({ byKind, mean: means, refused }: Figures): string {
  return [
    row(["damage", "cases", ...BACKUPS]),
    row(["---", "---", ...BACKUPS.map(() => "---")]),
    ...Object.entries(byKind).map(([kind, { cases, ...shares }]) =>
      row([kind, cases, ...BACKUPS.map((backup) => percent(shares[backup]))]),
    ),
    row(["all", "", ...BACKUPS.map((backup) => percent(means[backup]))]),
    row(["refused", "", ...BACKUPS.map((backup) => refused[backup])]),
  ].join("\n");
}

function mean(numbers: readonly number[]): number {
  return numbers.length === 0 ? 1 : numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(" | ")} |`;
}

// Downwards: only what is whole is 100 %.
function percent(share: number): string {
  return `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
}
