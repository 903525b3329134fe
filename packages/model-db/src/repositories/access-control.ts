import { query, type Query } from "../database/query.ts";
import type { Identity } from "../domain/access.ts";
import { RegistryError } from "../errors.ts";
import { digestOf, isSameDigest, isSameToken, parseToken, tokenIdOf } from "../schema/access-token.ts";
import { toAccessToken, toGrant } from "../schema/access.ts";
import { accessRevision } from "./access-revision.ts";
import type { Scope } from "./scope.ts";
import { TokenUses, type TokenUse } from "./token-uses.ts";
import { tokenById, Tokens } from "./tokens.ts";
import { grantsOfUser } from "./user-rows.ts";
import { Users } from "./users.ts";

const anyUser: Query<object, { name: string }> = query("user any", ({ db, sql }) =>
  db.selectFrom("access_user").select("name").limit(sql.lit(1)),
);

/** A token that was right, as long as nobody changes who may do what. */
interface Met {
  readonly token: Uint8Array;
  readonly identity: Identity;
  /** Unix milliseconds. */
  readonly expiresAt: number | null;
  readonly use: TokenUse;
}

/** Who may use a registry through a service, and who somebody is that wants to. */
export class AccessControl {
  readonly users: Users;
  readonly tokens: Tokens;
  readonly #scope: Scope;
  readonly #changeCounter: () => number;
  readonly #uses: TokenUses;
  // The good ones, by the part of their text that is no secret.
  readonly #met = new Map<string, Met>();
  #hasUsers: boolean | undefined;
  #counter: number | undefined;
  #revision: number | undefined;

  /** @param changeCounter a number that changes whenever anybody has committed a change. */
  constructor(scope: Scope, changeCounter: () => number) {
    this.users = new Users(scope);
    this.tokens = new Tokens(scope);
    this.#scope = scope;
    this.#uses = new TokenUses(scope);
    this.#changeCounter = changeCounter;
  }

  /**
   * Whether there is any user. Without one, nobody can prove who they are.
   *
   * @param asOf as in {@link authenticate}.
   */
  async hasUsers(asOf?: number): Promise<boolean> {
    const looking = this.#lookForChanges(asOf);
    if (looking !== undefined) await looking;
    if (this.#hasUsers !== undefined) return this.#hasUsers;
    const revision = this.#revision;
    const hasUsers = (await this.#scope.reader.get(anyUser, {})) !== undefined;
    if (revision === this.#revision) this.#hasUsers = hasUsers;
    return hasUsers;
  }

  /**
   * Who somebody is that shows a token, where that is known and nothing has changed since: for those who ask
   * often, and would feel a promise.
   *
   * @param asOf as in {@link authenticate}.
   * @returns `undefined` where {@link authenticate} has to look, or to refuse it.
   */
  recognise(token: string, asOf: number = this.#changeCounter()): Identity | undefined {
    return asOf === this.#counter ? this.#use(this.#known(token)) : undefined;
  }

  /**
   * Who somebody is that shows a token. What was found is remembered until anybody, in whichever process,
   * changes who may do what.
   *
   * @param asOf the registry's counter of changes at a moment that is new enough; now when left out.
   * @returns the same object for the same token, as long as that is so.
   * @throws RegistryError `unauthenticated`, in the same words whatever is wrong with the token.
   */
  async authenticate(token: string, asOf?: number): Promise<Identity> {
    const looking = this.#lookForChanges(asOf);
    if (looking !== undefined) await looking;
    const identity = this.#use(this.#known(token) ?? (await this.#meet(token)));
    if (identity === undefined) throw unauthenticated();
    return identity;
  }

  /** Writes when tokens were used last, where that is not written yet. */
  async settle(): Promise<void> {
    await this.#uses.write();
  }

  // The counter is taken before what it is to vouch for is read.
  #lookForChanges(counter: number = this.#changeCounter()): Promise<void> | undefined {
    return counter === this.#counter ? undefined : this.#look(counter);
  }

  async #look(counter: number): Promise<void> {
    const revision = await accessRevision(this.#scope.reader);
    if (revision !== this.#revision) {
      this.#met.clear();
      this.#hasUsers = undefined;
    }
    this.#revision = revision;
    this.#counter = counter;
  }

  #known(token: string): Met | undefined {
    const met = this.#met.get(tokenIdOf(token));
    return met !== undefined && isSameToken(met.token, token) ? met : undefined;
  }

  // Whose a token is that is used now; nobody's when its time is over.
  #use(met: Met | undefined): Identity | undefined {
    const now = Date.now();
    if (met === undefined || (met.expiresAt !== null && met.expiresAt <= now)) return undefined;
    this.#uses.note(met.use, now);
    return met.identity;
  }

  async #meet(token: string): Promise<Met | undefined> {
    const parsed = parseToken(token);
    if (parsed === undefined) return undefined;
    const { tokenId, secret } = parsed;
    const { reader } = this.#scope;
    const revision = this.#revision;
    const row = await reader.get(tokenById, { token_id: tokenId });
    const isRight = isSameDigest(row?.secret_sha256, digestOf(secret));
    if (row === undefined || !isRight || row.revoked_at !== null) return undefined;
    const grants = await reader.all(grantsOfUser, { user_name: row.user_name });
    const { userName, scopes, expiresAt, lastUsedAt } = toAccessToken(row);
    const met: Met = {
      token: Buffer.from(token),
      identity: Object.freeze({ user: userName, grants: grants.map(toGrant), scopes, tokenId }),
      expiresAt,
      use: this.#uses.of(tokenId, lastUsedAt ?? 0),
    };
    // What was changed meanwhile, and noticed, is not to be forgotten again.
    if (revision === this.#revision) this.#met.set(tokenId, met);
    return met;
  }
}

function unauthenticated(): RegistryError {
  return new RegistryError(
    "unauthenticated",
    "This needs an access token that is good: the one given is unknown, expired or revoked. `cortex token create` makes one.",
  );
}
