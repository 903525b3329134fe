import { readFileSync } from "node:fs";

/** A change that a program tried on a list, or on the registry beside it. */
export interface ListChange {
  readonly modelId: string;
  readonly kind: "add" | "alias" | "delete";
  /** The alias that the model has afterwards. */
  readonly alias: string;
  /** Milliseconds of the machine's monotonic clock, which all processes share. */
  readonly beganAt: number;
}

/** A change, and what its program was told; `done` is `undefined` where it was killed before. */
export interface ToldChange extends ListChange {
  readonly program: string;
  readonly done: boolean | undefined;
  /** Of a deletion that was refused: whether the YAML is gone, which the old program removes before it knows. */
  readonly hasTakenYaml?: boolean;
  readonly endedAt: number;
}

/** Now, on the clock of {@link ListChange}. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The lines of one change in a program's own record: what it tries, and what it was told. */
export function formatChange(change: ListChange): string {
  return `${JSON.stringify(change)}\n`;
}

/** As {@link formatChange}. */
export function formatTold(done: boolean, hasTakenYaml = false): string {
  return `${JSON.stringify({ done, hasTakenYaml, endedAt: monotonicMs() })}\n`;
}

/** Reads a program's record; a line that its end tore is none. */
export function readToldChanges(path: string, program: string, killedAt: number): ToldChange[] {
  const changes: ToldChange[] = [];
  for (const line of readFileSync(path, "utf8").split("\n").slice(0, -1)) {
    const entry = JSON.parse(line) as ListChange | Pick<ToldChange, "done" | "endedAt">;
    if ("kind" in entry) changes.push({ ...entry, program, done: undefined, endedAt: killedAt });
    else changes.push({ ...changes.pop()!, ...entry });
  }
  return changes;
}
