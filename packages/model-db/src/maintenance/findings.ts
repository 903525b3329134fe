/** What a check or a bug report can find, how bad it is, and what to do about it. */
const FINDINGS = {
  evidence: ["damage", "`cortex repair` builds it anew from its backup and from what it still holds."],
  unreadable: ["damage", "`cortex repair` builds it anew from its backup and from what it still holds."],
  structure: ["damage", "`cortex repair` builds it anew from its backup and from what it still holds."],
  row_checksum: ["damage", "`cortex repair` takes what was written last from the history and the backup."],
  name_missing: ["damage", "`cortex repair` makes the names again from the models."],
  name_astray: ["damage", "`cortex repair` makes the names again from the models."],
  tag_missing: ["damage", "`cortex repair` makes the labels again from the models."],
  tag_astray: ["damage", "`cortex repair` makes the labels again from the models."],
  search_missing: ["damage", "`cortex repair` makes the search index again from the models."],
  search_astray: ["damage", "`cortex repair` makes the search index again from the models."],
  search_text: ["damage", "`cortex repair` makes the search index again from the models."],
  event_missing: ["damage", "`cortex repair` makes the history's index again from the history."],
  event_astray: ["damage", "`cortex repair` makes the history's index again from the history."],
  reference: ["damage", "`cortex repair` leaves out what points nowhere."],
  history_gap: ["damage", "`cortex repair --from <backup folder>` brings back what is missing."],
  history_differs: ["damage", "`cortex repair` takes what was written last from the history and the backup."],
  history_unknown: ["warning", "Nothing is lost but the past: `cortex update` records it from here on."],
  row_unsigned: ["warning", "A program that knows no checksums wrote it; the next change of it adds one."],
  lease_of_dead: ["warning", "`cortex stop <model>` ends it; without that it ends by itself."],
  file_gone: [
    "warning",
    "Bring the file back, or record what is so: `cortex update <model> --availability missing`.",
  ],
  file_size: ["warning", "Fetch the file again if it is not complete."],
  config_gone: ["warning", "Bring the file back, or clear it: `cortex update <model> --config-path ''`."],
  config_invalid: ["warning", "Mend the file; it has to be YAML."],
  backup_out_of_reach: [
    "warning",
    "Bring its disk back, or follow into another folder: `cortex backup <folder> --follow`.",
  ],
  backup_damaged: [
    "warning",
    "The registry is not touched by it; `cortex backup <folder>` adds a snapshot that is whole.",
  ],
  not_opened: ["warning", "The message says what to do; `cortex --help` lists the verbs."],
  shared_file_system: ["warning", "Keep the registry on a local disk: --db or CORTEX_DB names it."],
  volatile_file_system: ["warning", "Keep the registry on a disk: --db or CORTEX_DB names it."],
  little_space: ["warning", "Free some space."],
  not_writable: [
    "warning",
    "Take the file over, for example with `sudo chown`, or use the registry as its owner.",
  ],
  large_log: [
    "warning",
    "End the program that reads for so long; the next change folds the log into the registry.",
  ],
  no_recent_backup: [
    "warning",
    "`cortex backup <folder>` makes one; with --follow it goes on with every change.",
  ],
  backup_behind: ["warning", "`cortex backup <folder> --follow` catches up and goes on."],
} as const;

/** One word of the closed set of what a check or a bug report can find. */
export type FindingCode = keyof typeof FINDINGS;

/** Something that is not as it should be. */
export interface Finding {
  readonly code: FindingCode;
  /** `damage`: the registry is not what was written. `warning`: it is, and something else is not right. */
  readonly severity: "damage" | "warning";
  /** What it is about: a model's id, an event's, a table, a file. */
  readonly subject: string;
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** A finding, with what its code says of it. */
export function finding(code: FindingCode, subject: string, message: string): Finding {
  const [severity, remedy] = FINDINGS[code];
  return { code, severity, subject, message, remedy };
}

/** What a step of a check gives: what it finds, and now and then how many rows it has looked at since. */
export type Look = Finding | number;
