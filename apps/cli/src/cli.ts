import { cac, type CAC, type Command } from "cac";

import { list } from "./commands/list.ts";

/** What a verb gives its caller: an exit code, or nothing for 0. */
export type Verb = (options: never) => Promise<number | void>;

const MANY = { type: [] };

type DeclareVerb = (verb: (usage: string, description: string) => Command) => Command;

/**
 * Every verb, by its names, with its arguments and flags. An action gives the verb's function, loaded when it is asked for. The
 * word in a flag's brackets says what its value is read as: see `values.ts`.
 */
const VERBS: Readonly<Record<string, DeclareVerb>> = {
  "list ls": (verb) =>
    listFlags(verb("list", "List models, newest first"))
      .option("--search <text>", "Only models with this text in id, alias, repository, tags or notes")
      .example("cortex list --source-type huggingface --filter 'size_bytes>4GB' --sort size_bytes:desc")
      .example("cortex list --tag chat --without-tag old --json")
      .action(async () => list),

  "show get inspect": (verb) =>
    verb("show <...models>", "Show everything that is known about models")
      .option("--fit", "Also estimate the memory that it takes to run them")
      .option(
        "--context-length <number>",
        "With --fit: for this many tokens (default: as many as the model has)",
      )
      .example("cortex show tinyllama")
      .example("cortex show tinyllama --fit --context-length 8192")
      .action(async () => (await import("./commands/show.ts")).show),

  search: (verb) =>
    listFlags(verb("search <...text>", "Find models by a text in their id, alias, repository, tags or notes"))
      .option(
        "--remote",
        "Find repositories on Hugging Face to pull from instead; of the other flags, --limit counts",
      )
      .example("cortex search mistral")
      .action(async () => (await import("./commands/search.ts")).search),

  add: (verb) =>
    recordFlags(verb("add <model_id>", "Record a model: only what you say about it, no file is touched"), NEW)
      .example(
        "cortex add TheBloke:Mistral-7B:q4.gguf --source-type huggingface --size-bytes 4.1GB --tag chat",
      )
      .action(async () => (await import("./commands/add.ts")).add),

  import: (verb) =>
    verb(
      "import <...paths>",
      "Bring in models that lie on this machine, files or folders: what they say of themselves is recorded, and they stay where they are",
    )
      .option("--copy", "Copy the files into the models folder")
      .option("--move", "Move the files into the models folder")
      .option("--hardlink", "Link the files into the models folder: they take no further room")
      .option("--model-id <id>", "Its id (default: made from what the file says)")
      .option("--alias <alias>", "Its friendly name (default: a short one is made)")
      .option("--tag <tag>", "A label; repeatable", MANY)
      .option("--dry-run", "Only show what would be imported")
      .example("cortex import ~/Downloads/mistral-7b.Q4_K_M.gguf")
      .example("cortex import /data/models --dry-run")
      .action(async () => (await import("./commands/import.ts")).importFiles),

  pull: (verb) =>
    verb(
      "pull <reference>",
      "Fetch a model from Hugging Face, cortex.so or a URL; the same again goes on where it was interrupted",
    )
      .option("--alias <alias>", "What to call it (default: a short name is made)")
      .option("--limit-rate <size>", "At most so many bytes a second, such as 5MB")
      .option("--connections <positive>", "At most so many parts of a file at a time, 1 to 32 (default: 4)")
      .option("--detach", "Only ask for it: a running cortex-server fetches it")
      .option("-y, --yes", "Do not ask which of several models: Q4_K_M, Q8_0, or the first")
      .example("cortex pull hf.co/TheBloke/OpenHermes-2.5-Mistral-7B-GGUF:Q4_K_M")
      .example("cortex pull tinyllama:1b-gguf --limit-rate 5MB")
      .action(async () => (await import("./commands/pull.ts")).pull),

  "transfer transfers": (verb) =>
    verb(
      "transfer [action] [transfer]",
      "What is being fetched: list (default), pause, resume or cancel <transfer>",
    )
      .option(
        "--state <word>",
        "With list: queued, running, paused, failed, done or cancelled (default: all that have not ended)",
        MANY,
      )
      .example("cortex transfer pause 3")
      .example("cortex transfer --state done --json")
      .action(async () => (await import("./commands/transfer.ts")).transfer),

  update: (verb) =>
    recordFlags(
      verb(
        "update [...models]",
        "Change what is recorded about a model; an empty value ('') clears a field. With --files: fetch newer revisions of pulled models, or of all",
      ),
      CHANGED,
    )
      .option("--files", "Fetch what is newer at the source; what a model was is kept until it is pruned")
      .option("--dry-run", "With --files: only show what would be fetched")
      .option("--no-pinned", "Let pruning and eviction take it again")
      .option("--no-private", "Let everybody see it whose grants cover it")
      .option(
        "--expected-row-version <positive>",
        "Refuse if somebody changed it since: the row_version that you saw",
      )
      .example("cortex update tinyllama --notes 'good at poems' --branch ''")
      .example("cortex update tinyllama --files")
      .action(async () => (await import("./commands/update.ts")).update),

  alias: (verb) =>
    verb(
      "alias <model> [alias]",
      "Give a model another name, which is shown first; the names it has go on to mean it",
    )
      .option("--add <alias>", "A further alias behind the first", MANY)
      .option("--remove <alias>", "Take an alias away", MANY)
      .option(
        "--repoint <alias>",
        "Take an alias from the model that has it, if any, and give it to this one",
        MANY,
      )
      .example("cortex alias tinyllama:1b-gguf tiny")
      .example("cortex alias tiny --remove old-name")
      .example("cortex alias new-model --repoint production")
      .action(async () => (await import("./commands/alias.ts")).alias),

  tag: (verb) =>
    verb("tag <model> [...changes]", "Label a model: +tag adds, -tag removes, a bare word adds")
      .option("--add <tag>", "The same as +tag", MANY)
      .option("--remove <tag>", "The same as -tag", MANY)
      .example("cortex tag tinyllama +chat -old")
      .action(async () => (await import("./commands/tag.ts")).tag),

  scan: (verb) =>
    verb(
      "scan [...folders]",
      "Show the models of every tool on this machine, and correct what the registry says of where its own are",
    )
      .option("--adopt", "Register the whole ones that are new; their files stay where they are")
      .option("--again", "Also those that were taken out of the registry; implies --adopt")
      .option("--dry-run", "Only show what would change")
      .example("cortex scan")
      .example("cortex scan --adopt --dry-run")
      .example("cortex scan /mnt/models --adopt")
      .action(async () => (await import("./commands/scan.ts")).scan),

  mv: (verb) =>
    verb(
      "mv <model> <folder>",
      "Move a model's files to another of the models folders that CORTEX_MODELS names",
    )
      .option("--dry-run", "Only show what would move")
      .example("CORTEX_MODELS=~/models:/mnt/big/models cortex mv tinyllama /mnt/big/models")
      .action(async () => (await import("./commands/mv.ts")).mv),

  "rm delete remove": (verb) =>
    verb(
      "rm <...models>",
      "Take models out of the registry; their files stay where they are unless --files is given",
    )
      .option("--files", "Also delete the files that cortex has written, and no others")
      .option("-y, --yes", "Do not ask")
      .option("--dry-run", "Only show what would go")
      .example("cortex rm tinyllama --dry-run")
      .action(async () => (await import("./commands/rm.ts")).rm),

  verify: (verb) =>
    verb(
      "verify [...models]",
      "Compare models' files with what is recorded of them: size and SHA-256; exit code 1 when one is not as it should be",
    )
      .option(
        "--max-seconds <integer>",
        "Begin no further file after this time; what was verified longest ago comes first",
      )
      .option(
        "--repair",
        "Put good content in the place of files that cortex wrote and that are damaged or gone: from another copy, else fetched again",
      )
      .option("--record", "Record the SHA-256 of files that have none, so that the next time can compare")
      .example("cortex verify tinyllama")
      .example("cortex verify --max-seconds 600")
      .action(async () => (await import("./commands/verify.ts")).verify),

  df: (verb) =>
    verb("df", "What models' files take on the disk: by store, source and author; what is shared counts once")
      .example("cortex df --json")
      .action(async () => (await import("./commands/df.ts")).df),

  outdated: (verb) =>
    verb("outdated [...models]", "List pulled models of which the source has something newer")
      .example("cortex outdated")
      .action(async () => (await import("./commands/outdated.ts")).outdated),

  prune: (verb) =>
    verb(
      "prune",
      "Free space: delete what was fetched in vain and superseded revisions or, if asked to, models that are not used; pinned and running ones never",
    )
      .option("--partials", "Only what was fetched in vain, and what else is chosen")
      .option("--superseded", "Only models that a newer revision has replaced, and what else is chosen")
      .option("--unused-since <time>", "Models that were not used since this time, such as 90d")
      .option(
        "--to <size>",
        "Until fetched models take no more than this: the ones used longest ago first, and no more than is needed",
      )
      .option("-y, --yes", "Do not ask")
      .option("--dry-run", "Only show what would go and how much is freed")
      .example("cortex prune --dry-run")
      .example("cortex prune --unused-since 90d")
      .example("cortex prune --to 200GB -y")
      .action(async () => (await import("./commands/prune.ts")).prune),

  start: (verb) =>
    verb("start <model>", "Record that a program runs a model: a lease, which makes its status RUNNING")
      .option("--holder <name>", "Who runs it (default: your user name)")
      .option("--endpoint <url>", "Where it answers; a renewal without it keeps the one there is")
      .option("--pid <positive>", "Its process id")
      .option("--node <name>", "The machine it runs on (default: this one)")
      .option(
        "--ttl <duration>",
        "How long the lease holds unless it is renewed by the same command (default: 15m)",
      )
      .option("--join", "Also where somebody else runs it already")
      .example("cortex start tinyllama --holder llama-server --endpoint http://127.0.0.1:8080 --ttl 1h")
      .action(async () => (await import("./commands/start.ts")).start),

  stop: (verb) =>
    verb("stop <model>", "Record that a program runs a model no longer: ends its lease")
      .option("--holder <name>", "Whose lease, when several programs run the model")
      .option("--token <positive>", "Which lease, by the token that start printed")
      .example("cortex stop tinyllama")
      .action(async () => (await import("./commands/stop.ts")).stop),

  ps: (verb) =>
    verb("ps [model]", "List what runs, by whom and until when")
      .example("cortex ps")
      .action(async () => (await import("./commands/ps.ts")).ps),

  history: (verb) =>
    verb("history [model]", "What happened to a model, or to all, latest first")
      .option("--actor <name>", "Only changes by this actor, such as cli:ann")
      .option(
        "--kind <kind>",
        "Only this kind: created, updated, aliased, tagged, files_changed, started, stopped, expired, deleted, repaired",
        MANY,
      )
      .option("--since <time>", "Not before this time")
      .option("--until <time>", "Not after this time")
      .option("--at <time>", "What the model was at this time")
      .option("--limit <count>", "How many, 1 to 1000 (default: 50)")
      .option("--cursor <cursor>", "Go on where a page ended")
      .example("cortex history tinyllama --since 2d")
      .example("cortex history tinyllama --at 2026-01-31T12:00:00Z")
      .action(async () => (await import("./commands/history.ts")).history),

  watch: (verb) =>
    verb("watch [model]", "Print changes as they happen, until interrupted")
      .option("--after <integer>", "Start behind this event id instead of now")
      .option("--kind <kind>", "Only this kind of change: see history", MANY)
      .example("cortex watch --json")
      .action(async () => (await import("./commands/watch.ts")).watch),

  export: (verb) =>
    verb(
      "export [file]",
      "Write every model as one JSON object per line, for apply and for backups of the list",
    )
      .example("cortex export models.ndjson")
      .action(async () => (await import("./commands/export.ts")).exportModels),

  apply: (verb) =>
    verb(
      "apply <file>",
      "Create and change models until the registry is what a file says; - reads standard input",
    )
      .option("--prune", "Also delete every model that the file does not name, except pinned ones")
      .option("--dry-run", "Only show what would change")
      .option("-y, --yes", "Do not ask before deleting")
      .example("cortex apply models.ndjson --dry-run")
      .action(async () => (await import("./commands/apply.ts")).apply),

  migrate: (verb) =>
    verb("migrate [action]", "Show or change the registry's schema version: status (default), up or down")
      .option("--to <integer>", "The version to reach (default: up to the latest, down by one)")
      .option("--dry-run", "Only show what would go")
      .option("-y, --yes", "Do not ask before going down")
      .example("cortex migrate status")
      .action(async () => (await import("./commands/migrate.ts")).migrate),

  user: (verb) =>
    verb(
      "user [action] [name]",
      "Who may use the registry through a server: list (default), add, grant or rm",
    )
      .option(
        "--role <role>",
        "reader, operator (starts and stops), editor (changes) or admin; with add and grant",
      )
      .option("--only <pattern>", "Only for models whose id is so; * stands for any text")
      .option("--only-tag <tag>", "Only for models with this tag")
      .option("--only-owner <user>", "Only for this user's models")
      .option("--replace", "With grant: instead of all that was granted before")
      .option("--give-models-to <user>", "With rm: who owns the user's models from then on")
      .option("-y, --yes", "Do not ask before removing")
      .option("--dry-run", "With rm: only show what would go")
      .example("cortex user add ann --role reader")
      .example("cortex user grant ann --role editor --only 'team-a/*'")
      .example("cortex user rm ann --give-models-to bob")
      .action(async () => (await import("./commands/user.ts")).user),

  token: (verb) =>
    verb(
      "token [action] [subject]",
      "Access tokens for a server: list [user] (default), create <user> or revoke <token_id>",
    )
      .option("--name <text>", "With create: what it is for, such as laptop")
      .option(
        "--expires <age>",
        "With create: how long it is good, such as 30d (default: until it is revoked)",
      )
      .option(
        "--scope <right>",
        "With create: what may be done with it beside reading: read, run, change or admin (default: all that its user may)",
        MANY,
      )
      .example("cortex token create ann --name laptop --expires 30d --scope run")
      .example("cortex token revoke 0123456789ab")
      .action(async () => (await import("./commands/token.ts")).token),

  backup: (verb) =>
    verb(
      "backup <folder>",
      "Keep a verified snapshot of the registry in a backup folder, while others use it",
    )
      .option("--follow", "Go on until interrupted: log each change there within a second")
      .option("--keep <positive>", "How many snapshots stay, this one among them (default: 3)")
      .example("cortex backup /mnt/backup/cortex")
      .example("cortex backup /mnt/backup/cortex --follow")
      .action(async () => (await import("./commands/backup.ts")).backup),

  check: (verb) =>
    verb("check", "Look whether the registry is what was written to it; nothing is changed")
      .option("--full", "Everything: every row, the history, the search index, the models' files")
      .example("cortex check --full")
      .action(async () => (await import("./commands/check.ts")).check),

  restore: (verb) =>
    verb(
      "restore [from]",
      "Make the registry, or one model, what it was: by its history, a backup folder or a snapshot",
    )
      .option("--at <time>", "As it was at this time (default: the newest that the backup has)")
      .option("--model <model>", "Only this model, by its name or, if it is gone, its id")
      .option("-y, --yes", "Do not ask")
      .option("--dry-run", "Only show what would change")
      .example("cortex restore --at 2h")
      .example("cortex restore --at 2026-01-31T12:00:00Z --model tinyllama --dry-run")
      .example("cortex restore /mnt/backup/cortex")
      .action(async () => (await import("./commands/restore.ts")).restore),

  repair: (verb) =>
    verb("repair", "Build a damaged registry anew from what is left of it and from its backup")
      .option(
        "--from <folder>",
        "A backup folder (default: the one that follows the registry, or the one beside it)",
      )
      .option("--dry-run", "Only show what would come back; exit code 6 when damaged")
      .option("-y, --yes", "Do not ask")
      .example("cortex repair --dry-run")
      .example("cortex repair --from /mnt/backup/cortex")
      .action(async () => (await import("./commands/repair.ts")).repair),

  doctor: (verb) =>
    verb("doctor", "What a bug report asks for: versions, paths, rights, space, backups; and what is wrong")
      .example("cortex doctor --json")
      .action(async () => (await import("./commands/doctor.ts")).doctor),

  serve: (verb) =>
    verb(
      "serve [...server_flags]",
      "Serve the registry over HTTP: starts cortex-server, which is installed by itself and gets every flag; `cortex-server --help` lists them",
    )
      .example("cortex serve")
      .example("cortex serve --port 8080 --backup /mnt/backup/cortex")
      .action(async () => (await import("./commands/serve.ts")).serve),

  completion: (verb) =>
    verb(
      "completion [shell]",
      "Print a script that completes verbs, flags and model names: bash, zsh or fish",
    )
      .example("source <(cortex completion bash)")
      .example("cortex completion fish > ~/.config/fish/completions/cortex.fish")
      .action(async () => (await import("./commands/completion.ts")).completion),
};

/**
 * The command line as cac knows it.
 * @param word a verb: where it is one, no other is declared, since all together take their time
 */
export function declareCli(word = ""): CAC {
  const cli = cac("cortex");
  cli.globalCommand.ignoreOptionDefaultValue();
  cli
    .option("--db <location>", "The registry: a file. Else $CORTEX_DB, else registry.db in the data folder")
    .option("--json", "Print JSON for programs, with every field")
    .option("-q, --quiet", "Print ids only")
    .option("--no-color", "No colours, like NO_COLOR=1")
    .option("-h, --help", "Explain the verb")
    .option("-v, --version", "Print the version");
  const asked = Object.keys(VERBS).filter((names) => names.split(" ").includes(word));
  for (const names of asked.length > 0 ? asked : Object.keys(VERBS)) {
    const command = VERBS[names]!((usage, description) =>
      cli.command(usage, description, { ignoreOptionDefaultValue: true }),
    );
    for (const alias of names.split(" ").slice(1)) command.alias(alias);
  }
  return cli;
}

function listFlags(command: Command): Command {
  return command
    .option(
      "--source-type <word>",
      "huggingface, cortex.so, local or remote; a repeated flag means any of them",
      MANY,
    )
    .option("--status <word>", "ready or running")
    .option("--author-repo <text>", "Author or repository", MANY)
    .option("--branch <text>", "Branch or version", MANY)
    .option("--tag <tag>", "With this tag; repeated: with all of them", MANY)
    .option("--any-tag <tag>", "With at least one of these tags", MANY)
    .option("--without-tag <tag>", "Without this tag; repeated: with none of them (also --no-tag)", MANY)
    .option("--availability <word>", "present, partial, missing, downloadable or remote", MANY)
    .option("--engine <text>", "Engine", MANY)
    .option("--format <text>", "File format", MANY)
    .option("--architecture <text>", "Architecture", MANY)
    .option("--quantization <text>", "Quantization", MANY)
    .option("--owner <user>", "This user's; '' for nobody's", MANY)
    .option("--private", "Only private ones")
    .option("--no-private", "Only those that are not private")
    .option(
      "--filter <expression>",
      "A field, one of = != > >= < <= ~ (contains), and a value: 'size_bytes>4GB', 'alias='",
      MANY,
    )
    .option("--sort <field>", "Sort by a field; size_bytes:desc for the largest first")
    .option("--limit <count>", "How many, 1 to 1000 (default: 50)")
    .option("--cursor <cursor>", "Go on where a page ended")
    .option("--total", "Also count all that match");
}

interface FlagWords {
  readonly sourceType: string;
  readonly alias: string;
  readonly noAlias: string;
  readonly capability: string;
  readonly tag: string;
}

const NEW: FlagWords = {
  sourceType: "huggingface, cortex.so, local or remote (default: local)",
  alias: "Friendly name (default: a short one is made)",
  noAlias: "No friendly name",
  capability: "What it can do, such as chat; repeatable",
  tag: "A label; repeatable",
};
const CHANGED: FlagWords = {
  sourceType: "huggingface, cortex.so, local or remote",
  alias: "Friendly name, instead of the one it has; `cortex alias` keeps that, too",
  noAlias: "Take its friendly name away",
  capability: "What it can do, such as chat; repeatable; replaces all that it has",
  tag: "A label; repeatable; replaces all that it has: `cortex tag` adds and removes",
};

function recordFlags(command: Command, words: FlagWords): Command {
  return command
    .option("--source-type <word>", words.sourceType)
    .option("--author-repo <text>", "Author or repository")
    .option("--branch <text>", "Branch or version")
    .option("--config-path <path>", "Path of the model's YAML file")
    .option("--alias <alias>", words.alias)
    .option("--no-alias", words.noAlias)
    .option("--availability <word>", "present, partial, missing, downloadable or remote")
    .option("--engine <text>", "Engine that runs it")
    .option("--format <text>", "File format, such as gguf")
    .option("--architecture <text>", "Architecture, such as llama")
    .option("--quantization <text>", "Quantization, such as Q4_K_M")
    .option("--parameter-count <number>", "Parameters: 7240000000 or 7.24B")
    .option("--context-length <number>", "Tokens: 32768 or 32Ki")
    .option("--size-bytes <size>", "Size of its files: 4700000000, 4.7GB or 4.4GiB")
    .option("--capability <text>", words.capability, MANY)
    .option("--tag <tag>", words.tag, MANY)
    .option(
      "--metadata <assignment>",
      "key=text or key:=JSON, or a JSON object; repeatable; key:=null removes",
      MANY,
    )
    .option("--notes <text>", "Notes")
    .option("--pinned", "Pruning and eviction leave it alone")
    .option("--owner <user>", "The user whose it is")
    .option("--private", "Only its owner and administrators see it through a server");
}
