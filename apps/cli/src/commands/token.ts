import { RIGHTS, toTokenRecord, toVisible, type AccessToken } from "@cortex/model-db";

import { MisuseError } from "../errors.ts";
import type { Everywhere } from "../everywhere.ts";
import { oneOf } from "../one-of.ts";
import { openExisting, openForReading, openForWriting } from "../open.ts";
import { toDocument } from "../output/json.ts";
import { writeNote, writeOut } from "../output/stream.ts";
import type { Column } from "../output/table.ts";
import { formatRelative } from "../output/time.ts";
import { printWholeList } from "../output/whole-list.ts";

/** What `cortex token` can do. */
export const TOKEN_ACTIONS = ["list", "create", "revoke"] as const;

/** What `cortex token` takes. */
export interface TokenOptions extends Everywhere {
  readonly action?: string;
  /** A user, or a token's id. */
  readonly subject?: string;
  readonly name?: string;
  /** How long it is good, in milliseconds. */
  readonly expires?: number;
  readonly scope?: readonly string[];
}

/** Lists, makes and ends access tokens. */
export async function token(options: TokenOptions): Promise<void> {
  const action = oneOf("token", options.action ?? "list", TOKEN_ACTIONS);
  if (action === "list") return list(options);
  const { subject } = options;
  if (subject === undefined) {
    throw new MisuseError(
      action === "create"
        ? "<user> is missing: cortex token create <user>."
        : "<token_id> is missing: cortex token revoke <token_id>.",
    );
  }
  return action === "create" ? create(subject, options) : revoke(subject, options);
}

async function create(userName: string, options: TokenOptions): Promise<void> {
  const { name, expires } = options;
  const scopes = (options.scope ?? []).map((scope) => oneOf("--scope", scope, RIGHTS));
  const expiresAt = expires === undefined ? null : Date.now() + expires;
  await using registry = await openForWriting(options);
  const { token: text, record } = await registry.access.tokens.create(userName, { name, expiresAt, scopes });
  if (options.json === true) {
    writeOut(toDocument({ ...toTokenRecord(record), token: text }));
    return;
  }
  writeOut(`${text}\n`);
  if (options.quiet === true) return;
  writeNote(`Token ${record.tokenId} of ${userName}. It is shown only this once: keep it safe.`);
}

async function revoke(tokenId: string, options: TokenOptions): Promise<void> {
  await using registry = await openForWriting(options);
  const record = await registry.access.tokens.revoke(tokenId);
  if (options.quiet === true) writeOut(`${record.tokenId}\n`);
  else if (options.json === true) writeOut(toDocument(toTokenRecord(record)));
  else writeNote(`Revoked token ${record.tokenId} of ${record.userName}`);
}

async function list(options: TokenOptions): Promise<void> {
  const { subject: userName } = options;
  const registry = await (userName === undefined ? openForReading(options) : openExisting(options));
  const tokens = await registry?.access.tokens.list({ userName });
  await registry?.close();
  const shown = {
    toId: ({ tokenId }: AccessToken) => tokenId,
    toRecord: toTokenRecord,
    columns: COLUMNS,
    toCells,
    nothing: "No tokens: `cortex token create <user>` makes one.",
  };
  printWholeList(tokens, shown, options);
}

const COLUMNS: readonly Column[] = [
  { title: "TOKEN" },
  { title: "USER" },
  { title: "NAME", least: 8, sacrifice: 2 },
  { title: "SCOPES", sacrifice: 3 },
  {
    title: "STATE",
    style: (text) => (text.startsWith("revoked") || text.startsWith("expired") ? "yellow" : undefined),
  },
  { title: "LAST USED", sacrifice: 1, style: () => "dim" },
];

function toCells(record: AccessToken): string[] {
  const { tokenId, userName, name, scopes, lastUsedAt } = record;
  return [
    tokenId,
    userName,
    name ?? "",
    scopes.length === 0 ? "all" : scopes.join(" "),
    describeState(record),
    lastUsedAt === null ? "never" : formatRelative(lastUsedAt),
  ].map(toVisible);
}

function describeState({ revokedAt, expiresAt }: AccessToken): string {
  if (revokedAt !== null) return `revoked ${formatRelative(revokedAt)}`;
  if (expiresAt === null) return "good";
  return expiresAt <= Date.now()
    ? `expired ${formatRelative(expiresAt)}`
    : `good, expires ${formatRelative(expiresAt)}`;
}
