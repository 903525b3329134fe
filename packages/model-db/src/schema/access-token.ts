import type * as Crypto from "node:crypto";

/** A token as it is shown once, and what is kept of it. */
export interface NewAccessToken {
  readonly text: string;
  readonly tokenId: string;
  readonly digest: string;
}

// 6 random bytes to name it by, in hexadecimal digits, and 32 that nobody can guess, in base64url.
const TOKEN = /^ctx_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;
const PREFIX = "ctx_";
const ID_BYTES = 6;
const SECRET_BYTES = 32;
const LENGTH = PREFIX.length + 2 * ID_BYTES + 1 + Math.ceil((SECRET_BYTES * 4) / 3);
// Of the token that was shown last: new memory for each would cost more than comparing it.
const shown = Buffer.alloc(LENGTH);

let loaded: typeof Crypto | undefined;

/** Makes a token, `ctx_<token_id>_<secret>`, of random bytes. */
export function createToken(): NewAccessToken {
  const { randomBytes } = crypto();
  const tokenId = randomBytes(ID_BYTES).toString("hex");
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  return { text: `${PREFIX}${tokenId}_${secret}`, tokenId, digest: digestOf(secret) };
}

/** The two parts of a token; `undefined` for what is none. */
export function parseToken(token: unknown): { tokenId: string; secret: string } | undefined {
  const parts = typeof token === "string" ? TOKEN.exec(token) : null;
  return parts === null ? undefined : { tokenId: parts[1]!, secret: parts[2]! };
}

/** The part of a token that names it, and is no secret, however the rest may be. */
export function tokenIdOf(token: unknown): string {
  return typeof token === "string" ? token.slice(PREFIX.length, PREFIX.length + 2 * ID_BYTES) : "";
}

/** Whether a token is the one whose bytes are known, in a time that does not tell where they differ. */
export function isSameToken(known: Uint8Array, given: string): boolean {
  const isAsLong = given.length === LENGTH && shown.write(given) === LENGTH;
  return isAsLong && crypto().timingSafeEqual(shown, known);
}

/** The SHA-256 of a token's secret, which is random, so that a slow hash would protect it no better: 64 hexadecimal digits. */
export function digestOf(secret: string): string {
  return crypto().hash("sha256", secret, "hex");
}

/** Whether two digests are the same, in a time that does not tell where they differ; no digest is like none. */
export function isSameDigest(stored: string | undefined, given: string): boolean {
  const digits = Buffer.from(given, "latin1");
  const known = Buffer.from(stored ?? "", "latin1");
  // A damaged row may hold anything.
  const isDigest = known.length === digits.length;
  return crypto().timingSafeEqual(isDigest ? known : Buffer.alloc(digits.length), digits) && isDigest;
}

// Loaded when a token is met: a program that lists models needs none.
function crypto(): typeof Crypto {
  return (loaded ??= process.getBuiltinModule("node:crypto"));
}
