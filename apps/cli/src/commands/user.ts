import {
  RegistryError,
  ROLES,
  toUserRecord,
  toVisible,
  type Grant,
  type NewGrant,
  type User,
} from "@cortex/model-db";

import { confirm, requireTerminal } from "../confirm.ts";
import { MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { oneOf } from "../one-of.ts";
import { openExisting, openForReading, openForWriting, openOrCreate } from "../open.ts";
import { toDocument } from "../output/json.ts";
import { writeNote, writeOut } from "../output/stream.ts";
import type { Column } from "../output/table.ts";
import { formatRelative } from "../output/time.ts";
import { printWholeList } from "../output/whole-list.ts";

/** What `cortex user` can do. */
export const USER_ACTIONS = ["list", "add", "grant", "rm"] as const;

/** What `cortex user` takes. */
export interface UserOptions extends Everywhere {
  readonly action?: string;
  readonly name?: string;
  readonly role?: string;
  /** A pattern of model ids. */
  readonly only?: string;
  readonly onlyTag?: string;
  readonly onlyOwner?: string;
  readonly replace?: boolean;
  readonly giveModelsTo?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** Shows or changes who may use the registry through a server. */
export async function user(options: UserOptions): Promise<void> {
  const action = oneOf("user", options.action ?? "list", USER_ACTIONS);
  if (action === "list") return list(options);
  const { name } = options;
  if (name === undefined) throw new MisuseError(`<name> is missing: cortex user ${action} <name>.`);
  if (action === "rm") return rm(name, options);
  const grant = toGrant(action, options);
  if (action === "add") {
    await using registry = await openOrCreate(options);
    const added = await registry.access.users.create({ name, grants: [grant] });
    printChanged(added, `Added ${describe(added)}. \`cortex token create ${name}\` makes a token.`, options);
    return;
  }
  await using registry = await openForWriting(options);
  const { users } = registry.access;
  const before = (await users.find(name))?.grants ?? [];
  const grants = options.replace === true ? [grant] : [...before, grant];
  const changed = await users.update(name, { grants });
  printChanged(changed, `Now ${describe(changed)}`, options);
}

function toGrant(action: string, options: UserOptions): NewGrant {
  if (options.role === undefined) {
    throw new MisuseError(`--role is missing: cortex user ${action} <name> --role ${ROLES.join("|")}.`);
  }
  const { only: pattern, onlyTag: tag, onlyOwner: owner } = options;
  return { role: oneOf("--role", options.role, ROLES), pattern, tag, owner };
}

async function list(options: UserOptions): Promise<void> {
  const registry = await openForReading(options);
  const users = await registry?.access.users.list();
  await registry?.close();
  const chosen = users?.filter(({ name }) => options.name === undefined || name === options.name);
  const shown = {
    toId: ({ name }: User) => name,
    toRecord: toUserRecord,
    columns: COLUMNS,
    toCells,
    nothing: "No users: `cortex user add <name> --role <role>` adds one.",
  };
  printWholeList(chosen, shown, options);
}

async function rm(name: string, options: UserOptions): Promise<void> {
  if (options.yes !== true && options.dryRun !== true) requireTerminal("user rm");
  const { giveModelsTo } = options;
  const { known, sentence } = await look(name, options);
  writeNote(`${options.dryRun === true ? "Would go" : "Goes"}: ${sentence}`);
  if (options.dryRun !== true) {
    if (options.yes !== true) await confirm("Remove the user?");
    await using registry = await openForWriting(options);
    await registry.access.users.delete(name, { giveModelsTo });
  }
  if (options.quiet === true) writeOut(`${name}\n`);
  else if (options.json === true) writeOut(toDocument(toUserRecord(known)));
}

async function look(name: string, options: UserOptions): Promise<{ known: User; sentence: string }> {
  await using registry = await openExisting(options);
  const known = await registry.access.users.find(name);
  if (known === undefined) {
    throw new RegistryError("not_found", `There is no user ${name}. \`cortex user list\` names them.`);
  }
  const tokens = (await registry.access.tokens.list({ userName: name })).length;
  const models = await registry.models.count({ filter: { owner: name } });
  const parts = [`${name}, with ${count(tokens, "token")}`];
  if (models > 0 && options.giveModelsTo === undefined) {
    throw new MisuseError(
      `${name} owns ${count(models, "model")}: say who is to, with --give-models-to <user>.`,
    );
  }
  if (models > 0) parts.push(`${options.giveModelsTo} then owns ${count(models, "model")}`);
  return { known, sentence: toVisible(parts.join("; ")) };
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function printChanged(changed: User, sentence: string, options: Everywhere): void {
  if (options.quiet === true) writeOut(`${changed.name}\n`);
  else if (options.json === true) writeOut(toDocument(toUserRecord(changed)));
  else writeNote(toVisible(sentence));
}

function describe({ name, grants }: User): string {
  return `${name}: ${describeGrants(grants)}`;
}

function describeGrants(grants: readonly Grant[]): string {
  return grants
    .map(({ role, pattern, tag, owner }) => {
      const only = [
        pattern === null ? "" : `of ${pattern}`,
        tag === null ? "" : `with the tag ${tag}`,
        owner === null ? "" : `owned by ${owner}`,
      ].filter((part) => part !== "");
      return [role, ...only].join(" ");
    })
    .join(", ");
}

const COLUMNS: readonly Column[] = [
  { title: "USER" },
  { title: "GRANTS", least: 16 },
  { title: "ADDED", sacrifice: 1, style: () => "dim" },
];

function toCells({ name, grants, createdAt }: User): string[] {
  return [name, describeGrants(grants), formatRelative(createdAt)].map(toVisible);
}
