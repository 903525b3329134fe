import { query, type Query } from "../database/query.ts";
import { parseUserName, RIGHTS, type AccessToken, type Right } from "../domain/access.ts";
import { checkKeys, parseList, parseText, parseTime, parseWord, shown } from "../domain/input.ts";
import { invalidInput, RegistryError } from "../errors.ts";
import { createToken } from "../schema/access-token.ts";
import { toAccessToken, type TokenTable } from "../schema/access.ts";
import { countAccessChange } from "./access-revision.ts";
import type { Scope } from "./scope.ts";
import { getUser } from "./user-rows.ts";

export const tokenById: Query<{ token_id: string }, TokenTable> = query("token by id", ({ db, p }) =>
  db.selectFrom("access_token").selectAll().where("token_id", "=", p("token_id")),
);
const allTokens: Query<object, TokenTable> = query("tokens", ({ db }) =>
  db.selectFrom("access_token").selectAll().orderBy("user_name").orderBy("created_at").orderBy("token_id"),
);
const tokensOfUser: Query<{ user_name: string }, TokenTable> = query("tokens of user", ({ db, p }) =>
  db
    .selectFrom("access_token")
    .selectAll()
    .where("user_name", "=", p("user_name"))
    .orderBy("created_at")
    .orderBy("token_id"),
);
const insertToken: Query<TokenTable, unknown> = query("token insert", ({ db, p }) =>
  db.insertInto("access_token").values({
    token_id: p("token_id"),
    user_name: p("user_name"),
    name: p("name"),
    secret_sha256: p("secret_sha256"),
    scopes: p("scopes"),
    created_at: p("created_at"),
    expires_at: p("expires_at"),
    last_used_at: p("last_used_at"),
    revoked_at: p("revoked_at"),
  }),
);
const revokeToken: Query<{ token_id: string; revoked_at: number }, unknown> = query(
  "token revoke",
  ({ db, p }) =>
    db
      .updateTable("access_token")
      .set({ revoked_at: p("revoked_at") })
      .where("token_id", "=", p("token_id")),
);

/** What a new token is to be; whatever is left out gets the default named here. */
export interface NewToken {
  /** What its user calls it; nothing. */
  name?: string | null | undefined;
  /** Unix milliseconds, in the future; never. */
  expiresAt?: number | null | undefined;
  /** What may be done with it, beside reading; all that its user may do. */
  scopes?: readonly Right[] | undefined;
}

const TOKEN_KEYS: ReadonlySet<string> = new Set(["name", "expiresAt", "scopes"]);

/** The tokens that users prove with who they are. */
export class Tokens {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /**
   * Makes a token for a user.
   *
   * @returns the token, which cannot be read again, and what is kept of it.
   * @throws RegistryError `not_found` where there is no such user, `invalid_input`.
   */
  async create(userName: string, token: NewToken = {}): Promise<{ token: string; record: AccessToken }> {
    checkKeys("a token", token, TOKEN_KEYS);
    const name = parseText("name", token.name ?? null);
    const createdAt = Date.now();
    const expiresAt = token.expiresAt == null ? null : parseTime("expires_at", token.expiresAt);
    if (expiresAt !== null && expiresAt <= createdAt) {
      throw invalidInput("expires_at", "expires_at is over already: the token would never be good.");
    }
    const scopes = parseList("scopes", token.scopes ?? [], (scope) => parseWord("scopes", scope, RIGHTS));
    const user = parseUserName("user", userName);
    const { text, tokenId, digest } = createToken();
    const row: TokenTable = {
      token_id: tokenId,
      user_name: user,
      name,
      secret_sha256: digest,
      scopes: JSON.stringify(scopes),
      created_at: createdAt,
      expires_at: expiresAt,
      last_used_at: null,
      revoked_at: null,
    };
    return this.#scope.write(async (session) => {
      await getUser(session, user);
      await session.run(insertToken, row);
      await countAccessChange(session);
      return { token: text, record: toAccessToken(row) };
    });
  }

  /**
   * The tokens there are, of all users or of one, oldest first; also those that are no longer good.
   *
   * @throws RegistryError `not_found` where there is no such user.
   */
  async list(options: { userName?: string | undefined } = {}): Promise<AccessToken[]> {
    checkKeys("token options", options, new Set(["userName"]));
    const { reader } = this.#scope;
    if (options.userName === undefined) return (await reader.all(allTokens, {})).map(toAccessToken);
    const { name } = await getUser(reader, parseUserName("user", options.userName));
    return (await reader.all(tokensOfUser, { user_name: name })).map(toAccessToken);
  }

  /**
   * Ends a token: the next request with it is refused, by every process.
   *
   * @param tokenId the public part of the token.
   * @returns the token; as it was, where it had been revoked before.
   * @throws RegistryError `not_found`.
   */
  async revoke(tokenId: string): Promise<AccessToken> {
    const id = typeof tokenId === "string" ? tokenId : "";
    return this.#scope.write(async (session) => {
      const row = await session.get(tokenById, { token_id: id });
      if (row === undefined) {
        throw new RegistryError(
          "not_found",
          `There is no token ${shown(tokenId)}. \`cortex token list\` names them.`,
        );
      }
      if (row.revoked_at !== null) return toAccessToken(row);
      const revokedAt = Date.now();
      await session.run(revokeToken, { token_id: id, revoked_at: revokedAt });
      await countAccessChange(session);
      return toAccessToken({ ...row, revoked_at: revokedAt });
    });
  }
}
