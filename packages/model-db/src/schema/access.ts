import type { AccessToken, Grant, Right, Role } from "../domain/access.ts";

/** The row of `access_user`. */
export interface UserTable {
  name: string;
  created_at: number;
}

/** The row of `access_grant`. */
export interface GrantTable {
  user_name: string;
  /** The order in which a user's grants were named, from 1. */
  number: number;
  role: Role;
  pattern: string | null;
  tag: string | null;
  owner: string | null;
}

/** The row of `access_token`. */
export interface TokenTable {
  token_id: string;
  user_name: string;
  name: string | null;
  /** Of the part of the token that is secret: 64 hexadecimal digits. */
  secret_sha256: string;
  /** JSON: array of rights; empty: all that the user has. */
  scopes: string;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
}

export function toGrant({ role, pattern, tag, owner }: GrantTable): Grant {
  return { role, pattern, tag, owner };
}

export function toAccessToken(row: TokenTable): AccessToken {
  return {
    tokenId: row.token_id,
    userName: row.user_name,
    name: row.name,
    scopes: JSON.parse(row.scopes) as Right[],
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}
