import { toVisible } from "@cortex/model-db";

import type { FieldMerge } from "./merge-entries.ts";
import { nameOf } from "./merge-entries.ts";
import type { Migration } from "./migrate.ts";
import type { Paint } from "./paint.ts";
import { OUTCOMES, type Outcome, type ReportEntry } from "./report-entry.ts";
import type { RolledBack } from "./rollback.ts";

const MAX_SHOWN = 20;
const MAX_TEXT = 160;

const MEANING: Record<Outcome, string> = {
  created: "new in the registry",
  already_there: "the registry has it",
  merged: "added to a model, or repeats one",
  renamed: "new, with another alias",
  refused: "stays behind; see below",
};

/** Collects what a person wants to see of a report, in memory that does not grow with it. */
export class Summary {
  readonly #shown: Record<"merged" | "renamed" | "refused", string[]> = {
    merged: [],
    renamed: [],
    refused: [],
  };
  readonly #counts = { merged: 0, renamed: 0, refused: 0 };
  #blankLines = 0;
  readonly #notes = new Map<string, { count: number; examples: string[] }>();
  readonly #paint: Paint;

  constructor(paint: Paint) {
    this.#paint = paint;
  }

  add(entry: ReportEntry): void {
    const { outcome } = entry;
    // There is nothing in it that could stay behind: counted, and not told.
    if (entry.code === "blank_line") this.#blankLines++;
    else if (outcome === "merged" || outcome === "renamed" || outcome === "refused") {
      const count = ++this.#counts[outcome];
      if (count <= MAX_SHOWN) this.#shown[outcome].push(this.#describe(entry));
    }
    for (const { code, text } of entry.notes ?? []) {
      // It is told with the entry itself.
      if (code === "alias_taken") continue;
      const note = this.#notes.get(code) ?? { count: 0, examples: [] };
      this.#notes.set(code, note);
      note.count++;
      if (note.examples.length < 3) note.examples.push(`${place(entry)}: ${clip(text)}`);
    }
  }

  /** The whole text for standard output. */
  render(migration: Migration): string {
    const paint = this.#paint;
    const lines: string[] = [];
    lines.push(
      `${migration.dryRun || !migration.changed ? "From" : "Migrated from"}  ${toVisible(migration.dataFolder)}`,
    );
    for (const { path, notes } of migration.stores) {
      lines.push(`  ${toVisible(path)}`);
      for (const { text } of notes) lines.push(paint("dim", `    ${clip(text)}`));
    }
    lines.push(`To  ${toVisible(migration.registry)}`, "");
    for (const outcome of OUTCOMES) {
      const count = migration.counts[outcome];
      const row = `${outcome.replace("_", " ").padEnd(14)} ${count.toLocaleString("en").padStart(9)}  ${this.#meaningOf(outcome)}`;
      lines.push(
        count === 0
          ? paint("dim", row)
          : outcome === "refused" && this.#counts.refused > 0
            ? paint("red", row)
            : row,
      );
    }
    for (const outcome of ["renamed", "merged", "refused"] as const) {
      if (this.#counts[outcome] === 0) continue;
      lines.push(
        "",
        paint("bold", `${outcome[0]!.toUpperCase()}${outcome.slice(1)}`),
        ...this.#shown[outcome],
      );
      const more = this.#counts[outcome] - this.#shown[outcome].length;
      if (more > 0) lines.push(`  … and ${more.toLocaleString("en")} more`);
    }
    if (this.#notes.size > 0) {
      lines.push("", paint("bold", "Worth knowing"));
      for (const { count, examples } of this.#notes.values()) {
        for (const example of examples) lines.push(`  ${example}`);
        if (count > examples.length)
          lines.push(`  … and ${(count - examples.length).toLocaleString("en")} more like this`);
      }
    }
    lines.push("", ...this.#ending(migration));
    return `${lines.join("\n")}\n`;
  }

  #meaningOf(outcome: Outcome): string {
    if (outcome !== "refused" || this.#blankLines === 0) return MEANING[outcome];
    const blank = `empty ${this.#blankLines === 1 ? "line" : "lines"}`;
    if (this.#counts.refused === 0) return blank;
    return `${MEANING[outcome]} (and ${this.#blankLines.toLocaleString("en")} ${blank})`;
  }

  #describe(entry: ReportEntry): string {
    const id = entry.model_id === null ? "" : clip(entry.model_id);
    if (entry.outcome === "renamed") {
      const alias = entry.new_alias === null ? "no alias" : clip(entry.new_alias ?? "");
      const why = entry.notes?.find(({ code }) => code === "alias_taken")?.text ?? "";
      return `  ${place(entry)}: ${id}\n    alias ${clip(entry.old_alias ?? "")} → ${alias}. ${clip(why)}`;
    }
    if (entry.outcome === "refused") {
      const text = `    ${clip(entry.text ?? "")}`;
      return `  ${place(entry)}: ${this.#paint("red", clip(entry.why ?? ""))}\n${text}\n    ${entry.remedy ?? ""}`;
    }
    const into = entry.into === entry.model_id || entry.into === undefined ? "" : ` into ${clip(entry.into)}`;
    const fields = (entry.fields ?? []).slice(0, 8).map((field) => `    ${describeField(field)}`);
    return [`  ${place(entry)}: ${id}${into}`, ...fields].join("\n");
  }

  #ending({ dryRun, inPlace, verified, backup, report, registry, counts, changed }: Migration): string[] {
    const paint = this.#paint;
    const lines: string[] = [];
    if (dryRun) {
      lines.push(changed ? "Nothing was written: this was a dry run." : "Nothing would be written.");
    } else if (verified !== null) {
      lines.push(...describeVerified(verified, paint));
      if (backup === null) {
        const isEmpty = OUTCOMES.every((outcome) => counts[outcome] === 0);
        lines.push(
          isEmpty ? "There is nothing to migrate." : "Nothing was written: there was nothing to add.",
        );
      }
    }
    const refused = counts.refused - this.#blankLines;
    if (refused > 0) {
      lines.push(
        `${refused.toLocaleString("en")} refused: follow what is said above and run again; what is there stays.`,
      );
    }
    if (report !== null) lines.push(`Report   ${toVisible(report)}`);
    if (backup !== null) {
      lines.push(`Backup   ${toVisible(backup)}`);
      lines.push(`Undo     cortex-migrate --rollback ${inPlace ? "--in-place" : "--to"} ${quote(registry)}`);
    }
    return lines;
  }
}

/** What a rollback did, for people. */
export function renderRollback(registryPath: string, done: RolledBack): string {
  const path = toVisible(registryPath);
  const lines = [
    done.registry === "removed"
      ? `${path} is gone, as before the migration.`
      : `${path} is what it was before the migration.`,
  ];
  if (done.before !== null) {
    const what = done.beforeIsBroken ? "It was no whole database; that file" : "What it was until now";
    lines.push(`${what} is kept: ${toVisible(done.before)}`);
  }
  for (const source of done.sourcesRestored)
    lines.push(`Put back, because it was gone: ${toVisible(source)}`);
  for (const { path: source, copy } of done.sourcesChanged) {
    lines.push(
      `Left as it is, because it changed since: ${toVisible(source)} (as it was: ${toVisible(copy)})`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function describeVerified(
  { compared, changedSince, mismatchCount, mismatches }: NonNullable<Migration["verified"]>,
  paint: Paint,
): string[] {
  const models = `${compared.toLocaleString("en")} ${compared === 1 ? "model" : "models"}`;
  const since =
    changedSince === 0 ? "" : ` ${changedSince.toLocaleString("en")} changed since and were passed over.`;
  if (mismatchCount === 0)
    return [paint("green", `Verified: ${models} compared with the old stores, no difference.${since}`)];
  return [
    paint("red", `Verified: ${mismatchCount.toLocaleString("en")} differences in ${models}:${since}`),
    ...mismatches
      .slice(0, MAX_SHOWN)
      .map(
        ({ model_id, from, field, expected, found }) =>
          `  ${clip(model_id)} (${from}) ${field}: ${value(found)}, but the old store says ${value(expected)}`,
      ),
  ];
}

function describeField({ field, value: kept, from, other, other_from }: FieldMerge): string {
  const rest = other_from === undefined ? "" : `; not ${value(other)} of ${other_from}`;
  return `${field}: ${value(kept)} from ${from}${rest}`;
}

function place({ store, line }: ReportEntry): string {
  return nameOf({ store, line });
}

function value(of: unknown): string {
  return clip(typeof of === "string" ? of : (JSON.stringify(of) ?? "nothing"));
}

function clip(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
  // A slice keeps the whole text it was cut from in memory; escaping does not.
  return Buffer.from(toVisible(short.toWellFormed())).toString();
}

function quote(path: string): string {
  const visible = toVisible(path);
  return /^[\w@%+=:,./-]+$/.test(visible) ? visible : `'${visible.replaceAll("'", `'\\''`)}'`;
}
