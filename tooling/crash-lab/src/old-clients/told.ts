import { readFileSync } from "node:fs";

/** A change that an old program tried, marked by a word that no other change writes. */
export interface Attempt {
  readonly modelId: string;
  readonly kind: "add" | "update" | "delete";
  /** The old column that it writes the mark into. */
  readonly column: "branch_name" | "engine";
  readonly mark: string;
  /** Unix milliseconds, before it looks whether the model is there. */
  readonly beganAt: number;
}

/** What an old program was told of a change; `undefined` where it was killed before it was told anything. */
export interface Told extends Attempt {
  readonly outcome: { readonly doneAt: number } | { readonly failed: string } | undefined;
}

/** The lines of one change in a program's own record: what it tries, and what it was told. */
export function formatAttempt(attempt: Attempt): string {
  return `${JSON.stringify(attempt)}\n`;
}

export function formatOutcome(outcome: NonNullable<Told["outcome"]>): string {
  return `${JSON.stringify(outcome)}\n`;
}

/** Reads such a record; a line that its end tore is none. */
export function readTold(path: string): Told[] {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  const told: Told[] = [];
  for (const line of lines) {
    const entry = JSON.parse(line) as Attempt | NonNullable<Told["outcome"]>;
    if ("mark" in entry) told.push({ ...entry, outcome: undefined });
    else told.push({ ...told.pop()!, outcome: entry });
  }
  return told;
}
