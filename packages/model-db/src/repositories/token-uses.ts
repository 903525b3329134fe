import { query, type Query } from "../database/query.ts";
import type { Scope } from "./scope.ts";

const useToken: Query<{ token_id: string; last_used_at: number }, unknown> = query(
  "token use",
  ({ db, p, sql }) =>
    db
      .updateTable("access_token")
      .set({ last_used_at: p("last_used_at") })
      .where("token_id", "=", p("token_id"))
      .where(sql<boolean>`coalesce(last_used_at, 0) < ${p("last_used_at")}`),
);

const WRITE_MS = 60_000;

/** When a token was used last, and up to which use that is written; Unix milliseconds. */
export interface TokenUse {
  usedAt: number;
  writtenAt: number;
}

/** When tokens were used last: kept in memory, and written at most once a minute for each. */
export class TokenUses {
  readonly #scope: Pick<Scope, "write">;
  readonly #uses = new Map<string, TokenUse>();

  constructor(scope: Pick<Scope, "write">) {
    this.#scope = scope;
  }

  /** What is known of a token's uses. @param writtenAt what is stored of them. */
  of(tokenId: string, writtenAt: number): TokenUse {
    const known = this.#uses.get(tokenId) ?? { usedAt: writtenAt, writtenAt };
    this.#uses.set(tokenId, known);
    return known;
  }

  /** Notes a use; whoever uses the token does not wait for its being written. */
  note(use: TokenUse, now: number): void {
    use.usedAt = now;
    if (now - use.writtenAt < WRITE_MS) return;
    use.writtenAt = now;
    void this.write((one) => one === use);
  }

  /** Writes what is not written yet, of all tokens or of some; what cannot be written is forgotten. */
  async write(wanted: (use: TokenUse) => boolean = (use) => use.usedAt > use.writtenAt): Promise<void> {
    const uses = [...this.#uses].filter(([, use]) => wanted(use));
    if (uses.length === 0) return;
    for (const [, use] of uses) use.writtenAt = use.usedAt;
    try {
      await this.#scope.write(async (session) => {
        for (const [tokenId, { usedAt }] of uses) {
          await session.run(useToken, { token_id: tokenId, last_used_at: usedAt });
        }
      });
    } catch {
      // Opened for reading only, or no room: nobody is refused for that.
    }
  }
}
