import { formatSize, toVisible } from "@cortex/model-db";
import {
  modelFolders,
  verifyModels,
  type FileState,
  type ModelVerdict,
  type VerifiedFile,
} from "@cortex/model-sources";

import { Interrupted } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { untilInterrupted } from "../interrupt.ts";
import { openHub } from "../open-hub.ts";
import { openForWriting } from "../open.ts";
import { painter, type Paint } from "../output/color.ts";
import { toListDocument } from "../output/json.ts";
import { startProgress, type Progress } from "../output/progress.ts";
import { writeNote, writeOut } from "../output/stream.ts";

/** What `cortex verify` takes. */
export interface VerifyVerbOptions extends Everywhere {
  /** None: every model that should be here. */
  readonly models: readonly string[];
  readonly maxSeconds?: number;
  readonly record?: boolean;
  readonly repair?: boolean;
}

/** Compares models' files with what is recorded of them. @returns 1 where one is not as it should be */
export async function verify(options: VerifyVerbOptions): Promise<number> {
  const { models, maxSeconds, record = false, quiet = false, json = false } = options;
  const paint = painter(1, options.color);
  const signal = untilInterrupted();
  let progress: Progress | undefined;
  const verdicts: ModelVerdict[] = [];
  await using hub = options.repair === true ? await openHub(options) : undefined;
  await using registry = await openForWriting(options);
  const folders = await modelFolders(process.env, registry.location);
  try {
    const found = verifyModels(registry, {
      names: models.length === 0 ? undefined : models,
      maxMs: maxSeconds === undefined ? undefined : maxSeconds * 1000,
      record,
      repair: hub && { hub, folders },
      signal,
      onProgress: ({ doneBytes, totalBytes }) => {
        progress ??= startProgress(`of ${formatSize(totalBytes)} read`, quiet || json);
        progress.update(formatSize(doneBytes));
      },
    });
    for await (const verdict of found) {
      verdicts.push(verdict);
      progress?.end();
      if (quiet) writeOut(isWhole(verdict) ? "" : `${toVisible(verdict.modelId)}\n`);
      else if (!json) writeOut(toText(verdict, paint));
    }
  } catch (error) {
    if (signal.aborted) throw new Interrupted();
    throw error;
  } finally {
    progress?.end();
  }
  if (json) writeOut(toListDocument(verdicts.map(toVerdictRecord)));
  else if (!quiet) writeNote(summary(verdicts, record));
  return verdicts.every(isWhole) ? 0 : 1;
}

function isWhole({ files }: ModelVerdict): boolean {
  return files.every(isFine);
}

function isFine({ verdict, repair }: VerifiedFile): boolean {
  return verdict.state === "whole" || verdict.state === "unproven" || repair?.isRepaired === true;
}

/** Whether more could be known of it: configuration files change, and nothing is recorded of their content. */
function isUnproven({ file, verdict }: VerifiedFile): boolean {
  return verdict.state === "unproven" && file.role !== "config";
}

function toText({ modelId, files }: ModelVerdict, paint: Paint): string {
  return files
    .filter(({ verdict }) => verdict.reason !== "")
    .map(({ file, verdict, repair }) => {
      const sentence = toVisible(`${file.path} of ${modelId} ${verdict.reason}.`);
      const color = verdict.state === "unreadable" ? "yellow" : "red";
      const outcome = repair === undefined ? "" : `${toOutcome(file.path, repair, paint)}\n`;
      return `${paint(color, verdict.state)} ${sentence}\n${outcome}`;
    })
    .join("");
}

function toOutcome(path: string, repair: NonNullable<VerifiedFile["repair"]>, paint: Paint): string {
  if (!repair.isRepaired) return toVisible(`  not repaired: ${path} ${repair.why}.`);
  return `  ${paint("green", "repaired")} ${toVisible(`${repair.how} from ${repair.from}`)}`;
}

function toVerdictRecord({ modelId, availability, files }: ModelVerdict): object {
  return {
    model_id: modelId,
    availability,
    files: files.map(({ file, verdict, repair }) => ({
      path: file.path,
      role: file.role,
      state: verdict.state,
      reason: verdict.reason,
      size_bytes: file.sizeBytes,
      found_size_bytes: verdict.foundSizeBytes,
      sha256: file.sha256,
      found_sha256: verdict.foundSha256,
      source: file.source,
      ...(repair === undefined ? {} : { repair: toRepairRecord(repair) }),
    })),
  };
}

function toRepairRecord(repair: NonNullable<VerifiedFile["repair"]>): object {
  return repair.isRepaired
    ? { repaired: true, how: repair.how, from: repair.from }
    : { repaired: false, why: repair.why };
}

interface Remedy {
  readonly what: string;
  /** What to do where --repair can help. */
  readonly ours: string;
  /** What to do where it cannot: cortex has not written the file, nobody knows its digest, or it was tried. */
  readonly others: string;
}

// What is said of each state, once, below what was found.
const REMEDIES: Readonly<Partial<Record<FileState, Remedy>>> = {
  damaged: {
    what: "the content is no longer what was recorded",
    ours: "--repair fetches it again, or put a good copy there",
    others: "put a good copy there, or `cortex rm` its model",
  },
  changed: {
    what: "somebody has written to it since it was last whole",
    ours: "--repair puts back what it was and keeps that beside it; if it was you, `cortex rm` its model and import it anew",
    others: "put back what it was; if it was you, `cortex rm` its model and import it anew",
  },
  missing: {
    what: "it is not there",
    ours: "fetch it again with --repair, put it back, or `cortex rm` its model",
    others: "put it back, or `cortex rm` its model",
  },
  unreadable: {
    what: "you may not read it",
    ours: "give yourself the right to",
    others: "give yourself the right to",
  },
};

function canBeRepaired({ file, repair }: VerifiedFile): boolean {
  return file.source !== null && file.sha256 !== null && file.sizeBytes !== null && repair === undefined;
}

function summary(verdicts: readonly ModelVerdict[], record: boolean): string {
  const files = verdicts.flatMap((verdict) => verdict.files);
  if (files.length === 0) return "There are no files to verify.";
  const repaired = files.filter(({ repair }) => repair?.isRepaired === true).length;
  const bad = files.filter((file) => !isFine(file));
  const count = (state: FileState): number => files.filter(({ verdict }) => verdict.state === state).length;
  const whole = count("whole");
  const unproven = files.filter(isUnproven).length;
  const configs = count("unproven") - unproven;
  const parts = whole > 0 ? [`${whole} whole`] : [];
  if (configs > 0) parts.push(`${configs} configuration ${configs === 1 ? "file" : "files"}`);
  if (unproven > 0) {
    const recorded = `recorded with ${unproven === 1 ? "its" : "their"} SHA-256`;
    parts.push(
      `${unproven} ${record ? recorded : "by size and header alone: no SHA-256 is recorded, see --record"}`,
    );
  }
  if (repaired > 0) parts.push(`${repaired} repaired`);
  const remedies: string[] = [];
  for (const [state, { what, ours, others }] of Object.entries(REMEDIES)) {
    const such = bad.filter(({ verdict }) => verdict.state === state);
    if (such.length === 0) continue;
    parts.push(`${such.length} ${state}`);
    const toDo = new Set(such.map((file) => (canBeRepaired(file) ? ours : others)));
    for (const next of toDo) remedies.push(`  ${state}: ${what}: ${next}`);
  }
  const bytes = files.reduce((sum, { verdict }) => sum + (verdict.foundSizeBytes ?? 0), 0);
  const total = `${files.length} ${files.length === 1 ? "file" : "files"}, ${formatSize(bytes)}: ${parts.join(", ")}`;
  return [total, ...remedies].join("\n");
}
