import { resolve } from "node:path";
import { createInterface } from "node:readline";

import {
  defaultRegistryLocation,
  isRegistryError,
  outcomeOf,
  toVisible,
  type ErrorCode,
} from "@cortex/model-db";

import { parseCommandLine, printHelp, type BridgeCommand, type Options } from "./cli.ts";
import { isRegistry, leaveWriteAheadLog } from "./in-place.ts";
import { Interrupted } from "./interrupted.ts";
import { findDataFolder } from "./legacy/data-folder.ts";
import { LegacyStoreError } from "./legacy/legacy-store-error.ts";
import { migrate, type Migration } from "./migrate.ts";
import { MisuseError } from "./misuse-error.ts";
import { painter } from "./paint.ts";
import { printVersion } from "./print-version.ts";
import { Progress } from "./progress.ts";
import { reasonOf } from "./reason-of.ts";
import { SnapshotError } from "./registry-snapshot.ts";
import { ReportError } from "./report-spool.ts";
import { changesSince, checkNotFollowed, findRollback, rollBack, type RolledBack } from "./rollback.ts";
import { renderRollback, Summary } from "./summary.ts";
import { toDocument } from "./to-document.ts";
import { write, writeOutcome } from "./write.ts";

const INTERRUPTED = 130;

const interruption = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () =>
    interruption.abort(new Interrupted("Interrupted. Nothing was written; run it again at any time.")),
  );
}

// At once, because nothing that is still open may hold up the shell.
void run(process.argv.slice(2)).then((exitCode) => process.exit(exitCode));

async function run(argv: readonly string[]): Promise<number> {
  try {
    const invocation = parseCommandLine(argv);
    if (invocation.kind === "help") printHelp(invocation.of);
    else if (invocation.kind === "version") printVersion();
    else if (invocation.kind === "bridge") await runBridge(invocation.options);
    else return await (invocation.options.rollback ? runRollback : runMigration)(invocation.options);
    return 0;
  } catch (error) {
    return fail(error, argv.includes("--json"));
  }
}

async function runMigration(options: Options): Promise<number> {
  const summary = new Summary(painter(process.stdout, options.color));
  using progress = new Progress(process.stderr);
  const migration = await migrate(
    {
      from: options.from,
      to: options.to,
      report: options.report,
      inPlace: options.inPlace,
      dryRun: options.dryRun,
      signal: interruption.signal,
      onEntry: (entry) => summary.add(entry),
      onProgress: (step, done, total, rateUnit) => progress.show(step, done, total, rateUnit),
    },
    options.json
      ? (result, report) => {
          progress[Symbol.dispose]();
          writeOutcome(toDocument(result, report), whatIsDone(result));
        }
      : undefined,
  );
  progress[Symbol.dispose]();
  for (const hint of migration.hints) write(2, `${toVisible(hint)}\n`);
  if (!options.json) writeOutcome([summary.render(migration)], whatIsDone(migration));
  return migration.verified !== null && migration.verified.mismatchCount > 0 ? 1 : 0;
}

function whatIsDone({ dryRun, report }: Migration): string {
  if (dryRun) return "Nothing was changed: this was a dry run.";
  return `The models are migrated.${report === null ? "" : ` The report is in ${report}.`}`;
}

async function runBridge({ list, to, once, json }: BridgeCommand): Promise<void> {
  const [{ bridge }, { describeEvent }] = await Promise.all([
    import("./bridge/bridge.ts"),
    import("./bridge/describe-event.ts"),
  ]);
  await bridge({
    list,
    to,
    once,
    signal: interruption.signal,
    onEvent(event) {
      const text = json ? JSON.stringify({ at: Date.now(), ...event }) : describeEvent(event);
      if (text !== "") write(1, `${text}\n`);
    },
  });
}

async function runRollback(options: Options): Promise<number> {
  const location = options.inPlace
    ? findInPlace(options.from)
    : resolve(options.to ?? defaultRegistryLocation());
  const backup = await findRollback(location);
  if (backup === undefined) {
    throw new LegacyStoreError("not_found", `There is no backup of ${location} to put back.`);
  }
  checkNotFollowed(backup);
  const { created_at, registry } = backup.manifest;
  const when = new Date(created_at).toISOString();
  const becomes =
    registry === null
      ? `${location} goes away: before the migration of ${when} there was none.`
      : `${location} becomes what it was before the migration of ${when}; every later change goes away.`;
  const what = `${becomes}${await changesSince(location)}`;
  if (options.dryRun) {
    if (options.json)
      write(1, `${JSON.stringify({ dry_run: true, registry: location, backup: backup.path })}\n`);
    else write(1, `${toVisible(what)}\nNothing was changed: this was a dry run.\n`);
    return 0;
  }
  if (!options.yes && !(await confirm(what))) {
    write(2, "Nothing was changed.\n");
    return 1;
  }
  const done = await rollBack(backup);
  if (options.inPlace && !isRegistry(location)) leaveWriteAheadLog(location);
  const outcome = options.json ? toRollbackDocument(location, done) : renderRollback(location, done);
  writeOutcome([outcome], `${location} is what it was.`);
  return 0;
}

function toRollbackDocument(location: string, done: RolledBack): string {
  const { backup, before, beforeIsBroken, registry, sourcesRestored, sourcesChanged } = done;
  const document = {
    dry_run: false,
    registry: location,
    outcome: registry,
    backup,
    before,
    before_is_broken: beforeIsBroken,
    sources_restored: sourcesRestored,
    sources_changed: sourcesChanged,
  };
  return `${JSON.stringify(document)}\n`;
}

function findInPlace(from: string | undefined): string {
  const { path, databases } = findDataFolder(from);
  const location = databases.find(isRegistry);
  if (location !== undefined) return location;
  throw new LegacyStoreError("not_found", `${path} holds no registry: there is nothing to take back.`);
}

async function confirm(what: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new MisuseError(`${what} There is no terminal to ask at: add -y, or --dry-run to look first.`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await new Promise<string>((done, interrupted) => {
      const stop = (): void => interrupted(new Interrupted("Interrupted. Nothing was changed."));
      terminal.once("SIGINT", stop);
      // Asked to end by another program, or by a terminal that does not leave its keys to us.
      if (interruption.signal.aborted) stop();
      interruption.signal.addEventListener("abort", stop, { once: true });
      terminal.question(`${toVisible(what)} Go on? [y/N] `, done);
      terminal.once("close", () => done(""));
    });
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

function fail(error: unknown, json: boolean): number {
  const { exitCode, code, message } = explain(error);
  write(
    2,
    json ? `${JSON.stringify({ error: { code, message } })}\n` : `cortex-migrate: ${toVisible(message)}\n`,
  );
  return exitCode;
}

// The registry says what is so; what to do about it depends on who asks.
const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
  not_a_registry: "--to names it.",
  schema_too_old: "A migration does that, and so does `cortex migrate up`; a dry run does not.",
};

function explain(error: unknown): { exitCode: number; code: string; message: string } {
  if (error instanceof Interrupted)
    return { exitCode: INTERRUPTED, code: "interrupted", message: error.message };
  if (error instanceof MisuseError) return { exitCode: 2, code: "invalid_input", message: error.message };
  if (error instanceof LegacyStoreError)
    return { exitCode: error.exitCode, code: error.code, message: error.message };
  if (isRegistryError(error)) {
    const advice = ADVICE[error.code];
    const message = advice === undefined ? error.message : `${error.message} ${advice}`;
    return { exitCode: outcomeOf(error.code).exitCode, code: error.code, message };
  }
  if (error instanceof SnapshotError) return { exitCode: 1, code: "backup_failed", message: error.message };
  if (error instanceof ReportError) return { exitCode: 1, code: "io_error", message: error.message };
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === "string" && error instanceof Error && /^E[A-Z]+$/.test(code)) {
    const { path = "The disk" } = error as NodeJS.ErrnoException;
    return { exitCode: 1, code: "io_error", message: `${path} cannot be used: ${reasonOf(error)}.` };
  }
  if (process.env["CORTEX_DEBUG"]) throw error;
  const message = `Unexpected: ${error instanceof Error ? error.message : String(error)}. Please report this; CORTEX_DEBUG=1 shows more.`;
  return { exitCode: 1, code: "internal", message };
}
