import { isReached, type Goal, type Outcome, type Table } from "./case.ts";

/** Everything that one case found at one size. */
export interface Result extends Outcome {
  readonly name: string;
  readonly size: number;
  /** How long the case took. */
  readonly seconds: number;
}

/** A result as plain data: contenders with microseconds and their ratio to the reference. */
export interface ResultData extends Omit<Result, "tables" | "goals"> {
  readonly tables: readonly unknown[];
  readonly goals: readonly (Goal & { readonly reached: boolean })[];
}

/** Prints what a case found, as it is found. */
export function printResult({ size, tables = [], facts = [], skipped, failure, name }: Result): void {
  const models = `${size.toLocaleString("en")} models`;
  if (skipped !== undefined) console.log(`\n${name}, ${models}: not measured: ${skipped}`);
  if (failure !== undefined) console.log(`\n${name}, ${models}: FAILED: ${failure}`);
  for (const table of tables) printTable(table, models);
  if (facts.length > 0) console.log(tables.length === 0 ? `\n${name}, ${models}` : "");
  for (const { title, value, unit } of facts)
    console.log(`  ${title.padEnd(58)} ${shownNumber(value).padStart(10)} ${unit}`);
}

function printTable({ title, reference, measurement, latencies }: Table, models: string): void {
  console.log(`\n${title}, ${models}`);
  for (const name of measurement.names) {
    const ratio = measurement.ratio(name, reference);
    const time = shownTime(measurement.micros(name));
    const latency = latencies?.get(name);
    const waited =
      latency === undefined
        ? ""
        : `   answered in ${latency.meanMs.toFixed(1)} ms, p99 ${latency.p99Ms.toFixed(1)} ms`;
    console.log(
      `  ${name.padEnd(58)} ${time.padStart(10)}  x${shownNumber(ratio).padEnd(waited === "" ? 0 : 5)}${waited}`,
    );
  }
}

/** Prints every goal with what was measured; returns how many were missed. */
export function printGoals(results: readonly ResultData[]): number {
  const rows = results.flatMap(({ size, goals }) => goals.map((goal) => ({ size, goal })));
  if (rows.length === 0) return 0;
  console.log(`\n${"Goal".padEnd(66)} ${"models".padStart(9)} ${"measured".padStart(9)}   goal`);
  for (const { size, goal } of rows) {
    const limit = `${goal.kind === "at most" ? "<=" : ">="} ${goal.limit.toLocaleString("en")}`;
    const verdict = goal.reached ? "PASS" : "MISS";
    console.log(
      `${goal.title.padEnd(66)} ${size.toLocaleString("en").padStart(9)} ${shownNumber(goal.measured).padStart(9)}   ${limit.padEnd(9)} ${verdict}`,
    );
  }
  const missed = rows.filter(({ goal }) => !goal.reached).length;
  console.log(`\n${rows.length - missed} of ${rows.length} goals reached.`);
  return missed;
}

/** What another process and a file are given of a result. */
export function toData({ tables = [], goals = [], ...rest }: Result): ResultData {
  return {
    ...rest,
    tables: tables.map(({ title, reference, measurement, latencies }) => ({
      title,
      reference,
      contenders: measurement.names.map((name) => ({
        name,
        micros: measurement.micros(name),
        ratio: measurement.ratio(name, reference),
        ...latencies?.get(name),
      })),
    })),
    goals: goals.map((goal) => ({ ...goal, reached: isReached(goal) })),
  };
}

function shownTime(micros: number): string {
  if (micros >= 1_000_000) return `${(micros / 1_000_000).toFixed(2)} s`;
  if (micros >= 1000) return `${(micros / 1000).toFixed(2)} ms`;
  return `${micros.toFixed(1)} us`;
}

function shownNumber(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en");
  return value.toFixed(2);
}
