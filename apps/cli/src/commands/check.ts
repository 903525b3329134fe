import { checkRegistry, outcomeOf, toVisible, type Finding } from "@cortex/model-db";

import type { Everywhere } from "../everywhere.ts";
import { locationOf } from "../location.ts";
import { requireRegistry } from "../missing-registry.ts";
import { painter, type Paint } from "../output/color.ts";
import { toListDocument } from "../output/json.ts";
import { startProgress } from "../output/progress.ts";
import { writeNote, writeOut } from "../output/stream.ts";

/** What `cortex check` takes. */
export interface CheckOptions extends Everywhere {
  readonly full?: boolean;
}

/** Prints what is not as it should be, with what to do about it. @returns 6 where the registry is damaged */
export async function check(options: CheckOptions): Promise<number> {
  const { json = false, quiet = false, full = false } = options;
  const paint = painter(1, options.color);
  const location = locationOf(options);
  requireRegistry(location);
  const findings: Finding[] = [];
  const progress = startProgress("rows looked at", quiet || json);
  const rowsOf = new Map<string, number>();
  const onProgress = (step: string, rows: number): void => {
    rowsOf.set(step, rows);
    progress.update([...rowsOf.values()].reduce((sum, count) => sum + count));
  };
  for await (const found of checkRegistry(location, { full, onProgress })) {
    progress.end();
    findings.push(found);
    if (quiet) writeOut(`${toVisible(found.subject)}\n`);
    else if (!json) writeOut(toText(found, paint));
  }
  progress.end();
  if (json) writeOut(toListDocument(findings));
  else if (!quiet) writeNote(summary(findings, full));
  const damaged = findings.some(({ severity }) => severity === "damage");
  return damaged ? outcomeOf("database_damaged").exitCode : 0;
}

function toText({ severity, code, message }: Finding, paint: Paint): string {
  const color = severity === "damage" ? "red" : "yellow";
  return `${paint(color, severity)} ${code}: ${toVisible(message)}\n`;
}

function summary(findings: readonly Finding[], full: boolean): string {
  const count = (kind: Finding["severity"]): number =>
    findings.filter(({ severity }) => severity === kind).length;
  const [damage, warnings] = [count("damage"), count("warning")];
  if (damage + warnings === 0) return full ? "Nothing is wrong." : "Nothing is wrong; --full looks closer.";
  const remedies = new Map(findings.map(({ code, remedy }) => [code, remedy]));
  const lines = Array.from(remedies, ([code, remedy]) => `  ${code}: ${remedy}`);
  const verdict = damage > 0 ? `The registry is damaged: ${damage} found` : "The registry is whole";
  const rest = warnings > 0 ? `, ${warnings} ${warnings === 1 ? "warning" : "warnings"}` : "";
  return [`${verdict}${rest}. What to do:`, ...lines].join("\n");
}
