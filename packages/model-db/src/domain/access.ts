import { invalidInput, RegistryError } from "../errors.ts";
import { checkKeys, parseName, parseTags, parseWord, shown } from "./input.ts";
import type { Model } from "./model.ts";

/** What a user is for the models of a grant; each role may do all that the ones before it may. */
export const ROLES = ["reader", "operator", "editor", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** What can be done to a model: see it; start and stop it; change it; give it to others. In the order of the roles. */
export const RIGHTS = ["read", "run", "change", "admin"] as const;
export type Right = (typeof RIGHTS)[number];

/** A role for all models or, where it is narrowed, for those of which all that it names is true. */
export interface Grant {
  readonly role: Role;
  /** The model's id is so; `*` stands for any text, and nothing else is special. */
  readonly pattern: string | null;
  /** The model has this tag. */
  readonly tag: string | null;
  /** The model is this user's. */
  readonly owner: string | null;
}

/** A grant as it is given: what is left out does not narrow it. */
export type NewGrant = Pick<Grant, "role"> & { [K in keyof Grant]?: Grant[K] | undefined };

/** Somebody who may use a registry through a service. */
export interface User {
  readonly name: string;
  /** One or more. */
  readonly grants: readonly Grant[];
  /** Unix milliseconds. */
  readonly createdAt: number;
}

/** An access token, without what is secret about it. Times are Unix milliseconds. */
export interface AccessToken {
  /** Its public name: 12 hexadecimal digits. */
  readonly tokenId: string;
  readonly userName: string;
  /** What its user calls it. */
  readonly name: string | null;
  /** What may be done with it, beside reading; empty: all that the user may do. */
  readonly scopes: readonly Right[];
  readonly createdAt: number;
  readonly expiresAt: number | null;
  /** To within a minute. */
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
}

/** Who somebody is, and what they may do: what an access token stands for. */
export interface Identity {
  readonly user: string;
  readonly grants: readonly Grant[];
  /** As in {@link AccessToken}. */
  readonly scopes: readonly Right[];
  /** `null` where no token was needed. */
  readonly tokenId: string | null;
}

/** What of a model decides who may do what to it. */
export type Guarded = Pick<Model, "modelId" | "tags" | "owner" | "private">;

const MAX_USER_NAME_LENGTH = 64;
const MAX_GRANTS = 100;
const GRANT_KEYS: ReadonlySet<string> = new Set(["role", "pattern", "tag", "owner"]);

/** A user's name: 1 to 64 ASCII letters, digits and `. _ @ + -`, beginning with a letter or digit. */
export function parseUserName(field: string, value: unknown): string {
  if (
    typeof value === "string" &&
    value.length <= MAX_USER_NAME_LENGTH &&
    /^[A-Za-z0-9][A-Za-z0-9._@+-]*$/.test(value)
  ) {
    return value;
  }
  throw invalidInput(
    field,
    `${shown(value)} is no user's name: 1 to ${MAX_USER_NAME_LENGTH} letters, digits and . _ @ + - are allowed, beginning with a letter or digit.`,
  );
}

/**
 * What a user is granted: one grant or more.
 *
 * @throws RegistryError `invalid_input`.
 */
export function parseGrants(value: unknown): Grant[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_GRANTS) {
    const given = Array.isArray(value) ? value.length : shown(value);
    throw invalidInput("grants", `grants must be a list of 1 to ${MAX_GRANTS} grants, not ${given}.`);
  }
  return Array.from(value as unknown[], parseGrant);
}

function parseGrant(value: unknown): Grant {
  checkKeys("a grant", value, GRANT_KEYS);
  const { role, pattern, tag, owner } = value as Partial<NewGrant>;
  return {
    role: parseWord("role", role, ROLES),
    pattern: pattern == null ? null : parseName("pattern", pattern),
    tag: tag == null ? null : parseTags("tag", [tag])[0]!,
    owner: owner == null ? null : parseUserName("owner", owner),
  };
}

/** Whether a model's id is as a pattern says: `*` stands for any text, also none. */
function matchesPattern(modelId: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return modelId === pattern;
  if (modelId.length < first.length + last.length) return false;
  if (!modelId.startsWith(first) || !modelId.endsWith(last)) return false;
  // Where each part is found as early as can be, what is left for the others is the most.
  const end = modelId.length - last.length;
  let from = first.length;
  for (const part of rest) {
    const at = modelId.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}

const known = new WeakMap<Identity, Access>();

/** What somebody may see and do; the same object for the same identity. */
export function accessOf(identity: Identity): Access {
  let access = known.get(identity);
  if (access === undefined) {
    access = new Access(identity);
    known.set(identity, access);
  }
  return access;
}

/**
 * What somebody may see and do: the one rule, which `visibility.ts` says again in SQL for lists. A model
 * is seen by its owner, by an admin whose grant covers it and, unless it is private, by anybody whose
 * grant covers it. An owner has an editor's rights. The scopes of a token limit what is done, not what is
 * seen.
 */
export class Access {
  readonly user: string;
  /** Each once. */
  readonly grants: readonly Grant[];
  /** Whether there is nothing that is not seen. */
  readonly seesAll: boolean;
  readonly #scopes: readonly Right[];

  constructor({ user, grants, scopes }: Identity) {
    this.user = user;
    this.grants = [...new Map(grants.map((grant) => [JSON.stringify(grant), grant])).values()];
    this.seesAll = grants.some((grant) => grant.role === "admin" && isForAll(grant));
    this.#scopes = scopes;
  }

  /** Whether a model is there, for this user. */
  sees(model: Guarded): boolean {
    return this.seesAll || this.#rank(model) >= 0;
  }

  /** What may be done to a model, in the order of {@link RIGHTS}; nothing where it is not seen. */
  rightsOn(model: Guarded): Right[] {
    const rank = this.#rank(model);
    return RIGHTS.filter((right, index) => index <= rank && this.#inScope(right));
  }

  /**
   * Refuses what may not be done to a model that is seen.
   *
   * @throws RegistryError `permission_denied`, naming the right.
   */
  check(right: Right, model: Guarded): void {
    if (this.#rank(model) >= RIGHTS.indexOf(right) && this.#inScope(right)) return;
    throw this.#denied(`${VERBS[right]} ${shown(model.modelId)}`, right);
  }

  /**
   * Refuses what is about the registry as a whole, to anybody without a grant for all models.
   *
   * @throws RegistryError `permission_denied`, naming the right.
   */
  checkAll(right: Right): void {
    const isGranted = this.grants.some((grant) => isForAll(grant) && rankOf(grant) >= RIGHTS.indexOf(right));
    if (isGranted && this.#inScope(right)) return;
    throw this.#denied("This", right, " for all models");
  }

  /**
   * Refuses what is begun before it is known which model it is about, to anybody without a grant for any.
   *
   * @param what it is, for people: `Fetching models`.
   * @throws RegistryError `permission_denied`, naming the right.
   */
  checkAny(right: Right, what: string): void {
    const isGranted = this.grants.some((grant) => rankOf(grant) >= RIGHTS.indexOf(right));
    if (!isGranted || !this.#inScope(right)) throw this.#denied(what, right);
  }

  /**
   * Refuses a model that may not be registered: a grant must cover it, and another owner is an admin's
   * to name.
   *
   * @throws RegistryError `permission_denied`, naming the right.
   */
  checkNew(model: Guarded): void {
    const rank = this.#granted(model);
    if (rank < RIGHTS.indexOf("change") || !this.#inScope("change")) {
      throw this.#denied(`Registering ${shown(model.modelId)}`, "change");
    }
    if (model.owner !== null && model.owner !== this.user) this.#checkOwnership("owner", rank, model);
  }

  /**
   * Refuses a model that may not be fetched: a grant must cover it.
   *
   * @throws RegistryError `permission_denied`, naming the right.
   */
  checkFetched(model: Guarded): void {
    if (this.#granted(model) >= RIGHTS.indexOf("run") && this.#inScope("run")) return;
    throw this.#denied(`Fetching ${shown(model.modelId)}`, "run");
  }

  /**
   * Refuses a change of whose a model is by anybody but an admin, of whether it is private by anybody but an
   * admin and its owner, and of its tags by whoever would have more rights on it afterwards.
   *
   * @throws RegistryError `permission_denied`, naming the right.
   */
  checkChange(before: Guarded, after: Guarded): void {
    const rank = this.#granted(before);
    if (after.owner !== before.owner) this.#checkOwnership("owner", rank, before);
    if (after.private !== before.private && before.owner !== this.user) {
      this.#checkOwnership("private", rank, before);
    }
    const next = this.#rank(after);
    if (next > this.#rank(before)) {
      throw this.#denied(
        `Giving yourself more rights on ${shown(before.modelId)} by its tags`,
        RIGHTS[next]!,
      );
    }
  }

  #checkOwnership(what: "owner" | "private", rank: number, { modelId }: Guarded): void {
    if (rank >= RIGHTS.indexOf("admin") && this.#inScope("admin")) return;
    const verb =
      what === "owner" ? `Naming the owner of ${shown(modelId)}` : `Hiding or showing ${shown(modelId)}`;
    throw this.#denied(verb, "admin");
  }

  // How far the rights on a model go, as an index of RIGHTS; -1 where it is not seen.
  #rank(model: Guarded): number {
    const granted = this.#granted(model);
    if (model.owner === this.user) return Math.max(granted, RIGHTS.indexOf("change"));
    return model.private && granted < RIGHTS.indexOf("admin") ? -1 : granted;
  }

  #granted(model: Guarded): number {
    let rank = -1;
    for (const grant of this.grants) if (covers(grant, model)) rank = Math.max(rank, rankOf(grant));
    return rank;
  }

  // Nothing can be done to what is not seen, so reading is in every scope.
  #inScope(right: Right): boolean {
    return this.#scopes.length === 0 || right === "read" || this.#scopes.includes(right);
  }

  #denied(what: string, right: Right, where = ""): RegistryError {
    const whose = this.#inScope(right) ? `${this.user} does not have it` : "the token's scopes leave it out";
    return new RegistryError(
      "permission_denied",
      `${what} needs the right ${shown(right)}${where}; ${whose}.`,
    );
  }
}

const VERBS: Readonly<Record<Right, string>> = {
  read: "Reading",
  run: "Starting or stopping",
  change: "Changing",
  admin: "Administering",
};

function rankOf({ role }: Grant): number {
  return ROLES.indexOf(role);
}

function isForAll({ pattern, tag, owner }: Grant): boolean {
  return pattern === null && tag === null && owner === null;
}

function covers({ pattern, tag, owner }: Grant, model: Guarded): boolean {
  return (
    (pattern === null || matchesPattern(model.modelId, pattern)) &&
    (tag === null || model.tags.includes(tag)) &&
    (owner === null || model.owner === owner)
  );
}
